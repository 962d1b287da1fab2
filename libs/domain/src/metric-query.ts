/** What a query may name of the arm that it is asked about. */
export const queryValues = ['prototype', 'lane', 'release', 'version', 'arm'] as const;
/** One of them. */
export type QueryValue = (typeof queryValues)[number];

/** One condition on a label. A string is what the policy says, a value is filled in for each arm. */
export interface QueryMatcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly parts: readonly (string | { readonly value: QueryValue })[];
}

/**
 * Which series of a histogram are looked at, as understood and not as text: whoever asks prints it anew, so that no value
 * can become a part of its structure. There is nothing here but a selection and at most a sum: the judge needs counters
 * as they grow, and a rate or a quantile over a window would count what happened in one look again in the next.
 */
export interface MetricQuery {
  /** The buckets of several series are added up. Without it a second series is one too many. */
  readonly sums: boolean;
  readonly metric: string;
  readonly matchers: readonly QueryMatcher[];
}

/** A query, or what is wrong with it and where, counted from 1. */
export type MetricQueryReading =
  | { readonly ok: true; readonly query: MetricQuery }
  | { readonly ok: false; readonly column: number; readonly message: string };

/** Reads `name_bucket{label="…{{arm}}…"}`, alone or in `sum by (le) (…)`. */
export function readMetricQuery(text: string): MetricQueryReading {
  const cursor: Cursor = { text, at: 0 };
  try {
    return { ok: true, query: queryAt(cursor) };
  } catch (error) {
    if (error instanceof Misreading) return { ok: false, column: error.at + 1, message: error.message };
    throw error;
  }
}

interface Cursor {
  readonly text: string;
  at: number;
}

/** Never leaves this file: a wrong query is an expected answer. */
class Misreading extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/** These tell the arms apart; without one of them both would be asked for the same series. */
const armValues: readonly QueryValue[] = ['arm', 'release', 'version'];

function queryAt(cursor: Cursor): MetricQuery {
  const sums = take(cursor, /sum(?=[\s(])/y) !== null;
  if (sums) {
    const words = 'expected sum by (le) (…), since the buckets are needed';
    for (const word of [/by/y, /\(/y, /le(?!\w)/y, /\)/y, /\(/y]) need(cursor, word, words);
  }
  const begins = skip(cursor);
  const metric = need(cursor, /[a-zA-Z_:][\w:]*/y, 'expected the name of a metric');
  if (!metric.endsWith('_bucket'))
    throw new Misreading(begins, `expected the buckets of a histogram, a name that ends with _bucket, got ${metric}`);
  const matchers = matchersAt(cursor);
  if (sums) need(cursor, /\)/y, 'expected ) after the selection');
  need(cursor, /$/y, 'expected the end: a selection of series, alone or in sum by (le) (…), and nothing around it');
  const named = matchers.flatMap(({ operator, parts }) =>
    operator === '=' || operator === '=~'
      ? parts.flatMap((part) => (typeof part === 'string' ? [] : [part.value]))
      : [],
  );
  if (!named.some((value) => armValues.includes(value)))
    throw new Misreading(
      begins,
      'expected {{arm}}, {{release}} or {{version}} in a label, to tell the new version apart',
    );
  return { sums, metric, matchers };
}

function matchersAt(cursor: Cursor): readonly QueryMatcher[] {
  need(cursor, /\{/y, 'expected { and labels after the name');
  const matchers: QueryMatcher[] = [];
  while (take(cursor, /\}/y) === null) {
    const label = need(cursor, /[a-zA-Z_]\w*/y, 'expected the name of a label, or }');
    const operator = need(cursor, /=~|!~|!=|=/y, 'expected =, !=, =~ or !~') as QueryMatcher['operator'];
    matchers.push({ label, operator, parts: partsAt(cursor, operator.endsWith('~')) });
    if (take(cursor, /,/y) === null && peek(cursor) !== '}') throw new Misreading(cursor.at, 'expected , or }');
  }
  return matchers;
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', "'": "'", n: '\n', t: '\t' };

function partsAt(cursor: Cursor, isExpression: boolean): QueryMatcher['parts'] {
  const quote = need(cursor, /["']/y, 'expected a value in quotes');
  const parts: (string | { readonly value: QueryValue })[] = [];
  let said = '';
  for (;;) {
    const at = cursor.at;
    const letter = cursor.text[cursor.at];
    if (letter === undefined || letter === '\n') throw new Misreading(at, `expected ${quote} at the end of the value`);
    cursor.at += 1;
    if (letter === quote) return said === '' ? parts : [...parts, said];
    if (letter === '\\') {
      said += escapedAt(cursor, at);
    } else if (letter === '{' && cursor.text[cursor.at] === '{') {
      if (isExpression) expectPlain(said, at);
      parts.push(...(said === '' ? [] : [said]), { value: placeholderAt(cursor, at) });
      said = '';
    } else {
      said += letter;
    }
  }
}

function escapedAt(cursor: Cursor, at: number): string {
  const meant = escapes[cursor.text[cursor.at] ?? ''];
  if (meant === undefined) throw new Misreading(at, 'expected \\\\, \\", \\\', \\n or \\t after a backslash');
  cursor.at += 1;
  return meant;
}

function placeholderAt(cursor: Cursor, at: number): QueryValue {
  const pattern = /\{\s*([^{}"'\\\n]*?)\s*\}\}/y;
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text);
  const value = queryValues.find((name) => name === found?.[1]);
  if (found === null || value === undefined) {
    const known = queryValues.map((name) => `{{${name}}}`).join(', ');
    throw new Misreading(at, `expected one of ${known}, got ${found === null ? 'no }} after {{' : `{{${found[1]}}}`}`);
  }
  cursor.at = pattern.lastIndex;
  return value;
}

/** Inside of brackets, quotes or an escape of an expression a value would mean something else than itself. */
function expectPlain(said: string, at: number): void {
  const bare = said.replaceAll(/\\[^Q]/g, '');
  // The look-ahead keeps what it found: a bracket right after the opening one is a letter, never the closing one.
  if (/[\\[]/.test(bare.replaceAll(/\[(?=(\^?\]?))\1[^\]]*\]/g, '')))
    throw new Misreading(at, 'expected a value outside of brackets and escapes of the expression');
}

function take(cursor: Cursor, pattern: RegExp): string | null {
  skip(cursor);
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0];
  if (found === undefined) return null;
  cursor.at += found.length;
  return found;
}

function need(cursor: Cursor, pattern: RegExp, expected: string): string {
  const found = take(cursor, pattern);
  if (found === null) throw new Misreading(cursor.at, `${expected}, got ${gotAt(cursor)}`);
  return found;
}

function gotAt({ text, at }: Cursor): string {
  if (text.startsWith('{{', at)) return '{{, which may stand in the quotes of a label only';
  const rest = text.slice(at, at + 20);
  return rest === '' ? 'the end' : JSON.stringify(rest);
}

function peek(cursor: Cursor): string | undefined {
  skip(cursor);
  return cursor.text[cursor.at];
}

function skip(cursor: Cursor): number {
  while (/\s/.test(cursor.text[cursor.at] ?? '')) cursor.at += 1;
  return cursor.at;
}
