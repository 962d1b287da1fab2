import fc from 'fast-check';
import { readMetricQuery } from './metric-query.ts';

test('a selection of buckets is understood, alone or summed', () => {
  expect(readMetricQuery('latency_seconds_bucket{release="{{release}}"}')).toEqual({
    ok: true,
    query: {
      sums: false,
      metric: 'latency_seconds_bucket',
      matchers: [{ label: 'release', operator: '=', parts: [{ value: 'release' }] }],
    },
  });
  const written = ` sum by (le) ( job:latency_bucket { arm = '{{ arm }}' , path!~"/health|/metrics", pod=~"desk-{{version}}-[a-z0-9]+", } ) `;
  expect(readMetricQuery(written)).toEqual({
    ok: true,
    query: {
      sums: true,
      metric: 'job:latency_bucket',
      matchers: [
        { label: 'arm', operator: '=', parts: [{ value: 'arm' }] },
        { label: 'path', operator: '!~', parts: ['/health|/metrics'] },
        { label: 'pod', operator: '=~', parts: ['desk-', { value: 'version' }, '-[a-z0-9]+'] },
      ],
    },
  });
});

test('what a backslash means in quotes is understood, so that nothing a value brings can complete it', () => {
  const read = readMetricQuery(String.raw`x_bucket{a="\"\\\n",b="{{arm}}"}`);
  expect(read).toMatchObject({ ok: true, query: { matchers: [{ parts: ['"\\\n'] }, { parts: [{ value: 'arm' }] }] } });
});

test.each([
  ['', 1, 'expected the name of a metric, got the end'],
  ['x_bucket', 9, 'expected { and labels after the name, got the end'],
  ['x_count{a="{{arm}}"}', 1, 'expected the buckets of a histogram, a name that ends with _bucket, got x_count'],
  ['x_bucket{}', 1, 'expected {{arm}}, {{release}} or {{version}} in a label'],
  ['x_bucket{a="{{prototype}}"}', 1, 'expected {{arm}}, {{release}} or {{version}} in a label'],
  ['x_bucket{a!="{{arm}}"}', 1, 'expected {{arm}}, {{release}} or {{version}} in a label'],
  [
    'x_bucket{a="{{owner}}"}',
    13,
    'expected one of {{prototype}}, {{lane}}, {{release}}, {{version}}, {{arm}}, got {{owner}}',
  ],
  ['x_bucket{a="{{arm"}', 13, 'got no }} after {{'],
  ['x_bucket{{{arm}}="a"}', 10, 'got {{, which may stand in the quotes of a label only'],
  ['{{arm}}_bucket{a="b"}', 1, 'got {{, which may stand in the quotes of a label only'],
  ['x_bucket{a={{arm}}}', 12, 'got {{, which may stand in the quotes of a label only'],
  ['x_bucket{a="{{arm}}"', 21, 'expected , or }'],
  ['x_bucket{a="{{arm}}",', 22, 'expected the name of a label, or }, got the end'],
  ['x_bucket{a="{{arm}}" b="c"}', 22, 'expected , or }'],
  ['x_bucket{a="{{arm}}', 20, 'expected " at the end of the value'],
  ['x_bucket{a="{{arm}}"} or y', 23, 'expected the end'],
  ['x_bucket{a="{{arm}}"}[5m]', 22, 'expected the end'],
  ['x_bucket{a="{{arm}}"} # why', 23, 'expected the end'],
  ['rate(x_bucket{a="{{arm}}"}[5m])', 1, 'a name that ends with _bucket, got rate'],
  ['sum(x_bucket{a="{{arm}}"})', 4, 'expected sum by (le) (…)'],
  ['sum by (le) (x_bucket{a="{{arm}}"}', 35, 'expected ) after the selection'],
  [String.raw`x_bucket{a="\{{arm}}"}`, 13, 'after a backslash'],
  [String.raw`x_bucket{a="\x4{{arm}}"}`, 13, 'after a backslash'],
  ['x_bucket{a=`{{arm}}`}', 12, 'expected a value in quotes'],
  ['x_bucket{a=~"[{{arm}}]"}', 15, 'expected a value outside of brackets and escapes'],
  ['x_bucket{a=~"[^]a{{arm}}]"}', 18, 'expected a value outside of brackets and escapes'],
  [String.raw`x_bucket{a=~"\\{{arm}}"}`, 16, 'expected a value outside of brackets and escapes'],
  [String.raw`x_bucket{a=~"\\Q{{arm}}\\E"}`, 17, 'expected a value outside of brackets and escapes'],
])('%s is refused at its column %i', (text, column, message) => {
  const read = readMetricQuery(text);
  expect(read).toMatchObject({ ok: false, column });
  expect(!read.ok && read.message).toContain(message);
});

test('whatever is written is understood or refused at a place in it', () => {
  const pieces = [
    'sum by (le) (',
    'x_bucket',
    '{',
    '}',
    '{{arm}}',
    '{{',
    '"',
    "'",
    '\\',
    '[',
    ']',
    '(',
    ')',
    ',',
    '=~',
    '=',
    'a',
    ' ',
  ];
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (written) => {
      const read = readMetricQuery(written);
      expect(read.ok || (read.column >= 1 && read.column <= written.length + 1)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});
