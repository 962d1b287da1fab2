import { readAnswer } from './answer.ts';

const askedAt = 1_700_000_000.25;

function row(labels: Readonly<Record<string, string>>, value: string) {
  return { metric: labels, value: [askedAt, value] };
}

function mark(ageSeconds = 1) {
  return row({ scraped: 'oldest' }, String(askedAt - ageSeconds));
}

function answer(result: readonly unknown[], more: object = {}) {
  return { status: 'success', data: { resultType: 'vector', result }, ...more };
}

const buckets = [row({ le: '0.1' }, '5'), row({ le: '1' }, '8'), row({ le: '+Inf' }, '1.2e+01')];

test('buckets of one histogram are read to what is in each alone, in whatever order they come', () => {
  const read = {
    kind: 'read',
    askedAtMs: 1_700_000_000_250,
    scrapedAtMs: 1_699_999_999_250,
    bounds: [0.1, 1],
    counts: [5, 3, 4],
  };
  expect(readAnswer(answer([...buckets, mark()]))).toEqual(read);
  expect(readAnswer(answer([mark(), ...buckets.toReversed()]))).toEqual(read);
  expect(readAnswer(answer([...buckets, mark()], { warnings: [], infos: ['a hint'] }))).toEqual(read);
});

const labelled = (path: string) => [row({ path, le: '1' }, '8'), row({ path, le: '+Inf' }, '12')];

test.each([
  ['nothing', answer([]), 'empty'],
  ['no bucket', answer([mark()]), 'empty'],
  ['two series', answer([...labelled('/a'), ...labelled('/b'), mark()]), 'several_series'],
  ['the same bound twice', answer([...buckets, row({ le: '1.0' }, '8'), mark()]), 'several_series'],
  ['a value that is NaN', answer([row({ le: '1' }, 'NaN'), row({ le: '+Inf' }, '3'), mark()]), 'not_a_number'],
  ['an infinite value', answer([row({ le: '1' }, '+Inf'), row({ le: '+Inf' }, '3'), mark()]), 'not_a_number'],
  ['a value that falls below zero', answer([row({ le: '1' }, '-1'), row({ le: '+Inf' }, '3'), mark()]), 'not_a_count'],
  ['half of an event', answer([row({ le: '1' }, '0.5'), row({ le: '+Inf' }, '3'), mark()]), 'not_a_count'],
  ['more than a double counts', answer([row({ le: '1' }, '0'), row({ le: '+Inf' }, '1e300'), mark()]), 'not_a_count'],
  ['a larger bound with less', answer([row({ le: '1' }, '8'), row({ le: '+Inf' }, '3'), mark()]), 'not_a_histogram'],
  ['no last bucket', answer([...buckets.slice(0, 2), mark()]), 'not_a_histogram'],
  ['one bucket', answer([row({ le: '+Inf' }, '3'), mark()]), 'not_a_histogram'],
  ['no bounds', answer([row({}, '3'), mark()]), 'not_a_histogram'],
  ['a bound that is none', answer([...buckets, row({ le: 'many' }, '3'), mark()]), 'not_a_histogram'],
  [
    'more buckets than are compared',
    answer([...Array.from({ length: 17 }, (_, le) => row({ le: `${le}` }, '1')), row({ le: '+Inf' }, '1'), mark()]),
    'not_a_histogram',
  ],
  ['a scrape of long ago', answer([...buckets, mark(151)]), 'stale'],
  ['no time of a scrape', answer(buckets), 'not_understood'],
  ['a native histogram', answer([{ metric: {}, histogram: [askedAt, { count: '3' }] }, mark()]), 'native_histogram'],
  ['a warning', answer([...buckets, mark()], { warnings: ['a store was away'] }), 'warned'],
  ['an error', { status: 'error', errorType: 'bad_data', error: 'parse error' }, 'query_refused'],
  ['another kind of result', { status: 'success', data: { resultType: 'scalar', result: [1, '2'] } }, 'not_understood'],
  ['a row that is none', answer([null, mark()]), 'not_understood'],
  ['a value without its time', answer([{ metric: {}, value: ['3'] }]), 'not_understood'],
  ['a value as a number', answer([{ metric: { le: '1' }, value: [askedAt, 3] }]), 'not_understood'],
  ['a list', [], 'not_understood'],
  ['null', null, 'not_understood'],
])('%s is no reading, for a reason of its own', (_what, body, why) => {
  expect(readAnswer(body)).toEqual({ kind: 'unread', why });
});
