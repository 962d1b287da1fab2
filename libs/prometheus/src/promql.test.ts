import { type MetricQuery, readMetricQuery } from '@proviso/domain';
import { parser } from '@prometheus-io/lezer-promql';
import fc from 'fast-check';
import { promqlOf, type QuerySubject } from './promql.ts';

const plain: QuerySubject = { prototype: 'p', lane: 'l', release: 'r', version: 'v', arm: 'a' };

const query = queryOf(
  `sum by (le) (x_bucket{a="{{prototype}}",b='{{lane}}/{{release}}',c=~"(x|{{version}}).*{{arm}}",d!="{{arm}}",e!~"{{arm}}"})`,
);

/** What people have tried, and what escapes forget. */
const hostile = [
  ...['"', "'", '\\', '\\"', '\n', '\r\n', '\u0000', '\u2028', '\ufffd', '\ud800', '`', '#', '}', '{', '{{arm}}', '$&'],
  ...['"} or vector(1) or x{a="', '\\"} or y{a="', '.*', '.+|.*', '(', '[', ']', '\\E.*', '\\d', '|', '^$', '-', '𝄞'],
];
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(...hostile),
  fc.array(fc.constantFrom(...hostile)).map((parts) => parts.join('')),
);
const subject = fc.record({ prototype: text, lane: text, release: text, version: text, arm: text });

function queryOf(written: string): MetricQuery {
  const read = readMetricQuery(written);
  if (!read.ok) throw new Error(read.message);
  return read.query;
}

/** The tree of a query without the contents of its strings. */
function structureOf(promql: string): readonly string[] {
  const nodes: string[] = [];
  parser.parse(promql).iterate({ enter: ({ name, type }) => void nodes.push(type.isError ? 'ERROR' : name) });
  return nodes;
}

/** The values of a query's strings, as PromQL reads them. */
function stringsOf(promql: string): readonly string[] {
  const values: string[] = [];
  parser.parse(promql).iterate({
    enter: ({ name, from, to }) => {
      if (name === 'StringLiteral') values.push(unquoted(promql.slice(from + 1, to - 1)));
    },
  });
  return values;
}

function unquoted(content: string): string {
  return content.replaceAll(/\\U([0-9a-f]{8})|\\(["\\])/g, (_, number?: string, letter?: string) =>
    number === undefined ? (letter ?? '') : String.fromCodePoint(Number.parseInt(number, 16)),
  );
}

test('a query is printed as a real parser reads it', () => {
  const printed = promqlOf(query, plain);
  expect(structureOf(printed)).not.toContain('ERROR');
  expect(printed).toContain('sum by (le) (x_bucket{a="p",b="l/r",c=~"(x|(?:v)).*(?:a)",d!="a",e!~"(?:a)"})');
});

test('no value changes the structure of a query', () => {
  const structure = structureOf(promqlOf(query, plain));
  fc.assert(
    fc.property(subject, (values) => {
      const printed = promqlOf(query, values);
      expect(structureOf(printed)).toEqual(structure);
      expect(printed).toMatch(/^[ -~]*$/);
    }),
    { numRuns: 2_000 },
  );
});

test('a value is compared as itself, and in an expression it matches itself alone', () => {
  fc.assert(
    fc.property(subject, text, (values, other) => {
      const printed = stringsOf(promqlOf(query, values));
      const whole = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.toWellFormed()]));
      expect(printed.slice(0, 2)).toEqual([whole['prototype'], `${whole['lane']}/${whole['release']}`]);
      expect(printed[3]).toBe(whole['arm']);
      const expression = new RegExp(`^(?:${printed[4]})$`, 's');
      expect(expression.test(whole['arm'] ?? '')).toBe(true);
      expect(expression.test(other.toWellFormed())).toBe(other.toWellFormed() === whole['arm']);
    }),
    { numRuns: 2_000 },
  );
});
