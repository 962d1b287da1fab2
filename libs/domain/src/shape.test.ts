import { type ReadResult, problemsMax, read } from './shape-reading.ts';
import { toJsonSchema } from './shape-schema.ts';
import {
  about,
  choice,
  duration,
  durationText,
  flag,
  group,
  integer,
  list,
  number,
  oneOf,
  preset,
  record,
  text,
} from './shape.ts';

const pet = group(
  { name: text({ min: 1, max: 5 }), kind: choice(['cat', 'dog']) },
  { age: integer({ min: 0, max: 30 }), fed: preset(flag(), true), nap: preset(duration({ maxMs: 7_200_000 }), '1h') },
);

function codes(result: ReadResult<unknown>): string[] {
  return result.ok ? [] : result.problems.map((problem) => `${problem.code} ${problem.path.join('.')}`);
}

test('reads a group to a typed value with its presets in the form of values', () => {
  const result = read(pet, { name: 'Tom', kind: 'cat' });
  expect(result).toEqual({ ok: true, value: { name: 'Tom', kind: 'cat', fed: true, nap: 3_600_000 } });
  const nap: number | undefined = result.ok ? result.value.nap : undefined;
  expect(nap).toBe(3_600_000);
});

test.each([
  ['a missing field', { kind: 'cat' }, ['missing name']],
  ['an unknown key', { name: 'Tom', kind: 'cat', aeg: 3 }, ['unknown_key aeg']],
  ['a word off the list', { name: 'Tom', kind: 'cow' }, ['not_allowed kind']],
  ['text just too long', { name: 'Tommmm', kind: 'cat' }, ['out_of_range name']],
  ['empty text', { name: '', kind: 'cat' }, ['out_of_range name']],
  ['a NUL in text', { name: 'a\0b', kind: 'cat' }, ['not_allowed name']],
  ['half a surrogate pair', { name: 'a\ud800', kind: 'cat' }, ['not_allowed name']],
  ['a fraction for a whole number', { name: 'T', kind: 'cat', age: 1.5 }, ['wrong_type age']],
  ['a number just out of range', { name: 'T', kind: 'cat', age: 31 }, ['out_of_range age']],
  ['a word for a flag', { name: 'T', kind: 'cat', fed: 'yes' }, ['wrong_type fed']],
  ['a duration without a unit', { name: 'T', kind: 'cat', nap: '30' }, ['wrong_type nap']],
  ['a duration just too long', { name: 'T', kind: 'cat', nap: '7201s' }, ['out_of_range nap']],
  ['a list for a group', [], ['wrong_type ']],
  ['nothing', null, ['wrong_type ']],
])('refuses %s', (_, node, expected) => {
  expect(codes(read(pet, node))).toEqual(expected);
});

test.each([[Number.NaN], [Number.POSITIVE_INFINITY], ['0.95'], [[0.95]], [true], [null]])(
  'refuses %p where a number is expected',
  (node) => {
    expect(codes(read(number({ min: 0, max: 1 }), node))).toEqual(['wrong_type ']);
  },
);

test('suggests the nearest key and the nearest word', () => {
  const result = read(pet, { nmae: 'Tom', kind: 'dgo' });
  const messages = result.ok ? [] : result.problems.map((problem) => problem.message);
  expect(messages).toEqual([
    'nmae: expected name, or no such line, got "nmae"',
    'name: expected text of 1 to 5 characters, got nothing',
    'kind: expected one of cat, dog (did you mean dog?), got "dgo"',
  ]);
});

test('tells the path of a problem deep in lists and records', () => {
  const shape = group({ homes: record(list(pet, { max: 2 }), { keyPattern: '^[a-z]+$', max: 3 }) });
  const tom = { name: 'Tom', kind: 'cat' };
  expect(codes(read(shape, { homes: { north: [tom, { ...tom, age: -1 }] } }))).toEqual([
    'out_of_range homes.north.1.age',
  ]);
  expect(codes(read(shape, { homes: { north: [tom, tom, tom] } }))).toEqual(['out_of_range homes.north']);
  expect(codes(read(shape, { homes: { North: [] } }))).toEqual(['unknown_key homes.North']);
});

test('tells groups apart by their key and keeps the key in the value', () => {
  const gate = oneOf('gate', {
    scan: group({ tries: integer({ min: 1, max: 3 }) }),
    wait: group({}, { span: duration() }),
  });
  expect(read(gate, { gate: 'scan', tries: 2 })).toEqual({ ok: true, value: { gate: 'scan', tries: 2 } });
  expect(read(gate, { gate: 'wait' })).toEqual({ ok: true, value: { gate: 'wait' } });
  expect(codes(read(gate, { gate: 'wait', tries: 2 }))).toEqual(['unknown_key tries']);
  expect(codes(read(gate, { gate: 'scna', tries: 2 }))).toEqual(['not_allowed gate']);
  expect(codes(read(gate, { tries: 2 }))).toEqual(['missing gate']);
  expect(codes(read(gate, { gate: 'constructor' }))).toEqual(['not_allowed gate']);
});

test('reads own properties only and keeps a key named like the prototype a plain key', () => {
  const node = JSON.parse('{"__proto__": "x"}') as unknown;
  const result = read(record(text()), node);
  expect(result.ok && Object.getOwnPropertyNames(result.value)).toEqual(['__proto__']);
  expect(codes(read(group({ toString: text() }), {}))).toEqual(['missing toString']);
});

test('stops at a bounded number of problems', () => {
  const result = read(list(flag()), Array<string>(problemsMax + 10).fill('no'));
  expect(codes(result)).toHaveLength(problemsMax);
});

test.each([
  ['0ms', 0],
  ['90s', 90_000],
  ['7d', 604_800_000],
  ['1500ms', 1_500],
])('reads and writes %s', (words, spanMs) => {
  expect(read(duration(), words)).toEqual({ ok: true, value: spanMs });
  expect(durationText(spanMs)).toBe(words);
});

test('turns into a JSON Schema with the same bounds', () => {
  const shape = group(
    { pets: about(list(pet, { min: 1 }), 'who lives here') },
    { by: oneOf('is', { new: group({}) }) },
  );
  expect(toJsonSchema(shape, 'home')).toMatchObject({
    title: 'home',
    required: ['pets'],
    properties: {
      pets: {
        description: 'who lives here',
        minItems: 1,
        items: { required: ['name', 'kind'], properties: { fed: { default: true }, nap: { default: '1h' } } },
      },
      by: { oneOf: [{ properties: { is: { const: 'new' } }, required: ['is'], additionalProperties: false }] },
    },
  });
});
