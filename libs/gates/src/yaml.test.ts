import { group, integer, list, text } from '@proviso/domain';
import { type YamlResult, readYaml, yamlBytesMax } from './yaml.ts';

const shape = group({ name: text({ min: 1, max: 20 }) }, { sizes: list(integer({ min: 1, max: 9 })), note: text() });

function told(result: YamlResult<unknown>): string[] {
  return result.ok ? [] : result.problems.map((problem) => `${problem.code} ${problem.line}:${problem.column}`);
}

test('reads a document to its typed value', () => {
  expect(readYaml('name: Ada # first\nsizes:\n  - 1\n  - 2\n', shape)).toEqual({
    ok: true,
    value: { name: 'Ada', sizes: [1, 2] },
  });
});

test.each([
  ['a wrong value', 'name: Ada\nsizes:\n  - 1\n  - ten\n', ['wrong_type 4:5']],
  ['a value out of range', 'name: Ada\nsizes: [1, 10]\n', ['out_of_range 2:12']],
  ['an unknown key', 'name: Ada\nsize: 1\n', ['unknown_key 2:1']],
  ['a missing key at its group', '\n\nnote: x\n', ['missing 3:1']],
  ['an empty value at its key', 'name:\n', ['wrong_type 1:1']],
  ['an empty document', '', ['wrong_type 1:1']],
  ['the same key twice', 'name: Ada\nname: Bob\n', ['not_supported 2:1']],
  ['a second document', 'name: Ada\n---\nname: Bob\n', ['syntax 2:1']],
  ['a broken line', 'name: "Ada\n', ['syntax 2:1']],
  ['a tag of its own', 'name: !secret Ada\n', ['syntax 1:7']],
  ['an alias', 'name: &a Ada\nnote: *a\n', ['not_supported 2:7']],
  ['a key that is a number', 'name: Ada\n1: x\n', ['not_supported 2:1']],
  ['a number beyond all numbers', 'name: Ada\nsizes: [1e400]\n', ['wrong_type 2:9']],
])('points at %s', (_, source, expected) => {
  expect(told(readYaml(source, shape))).toEqual(expected);
});

test('refuses a bomb of aliases without building it', () => {
  const levels = Array.from(
    { length: 9 },
    (_, level) => `a${level + 1}: &a${level + 1} [${'*a'.concat(String(level), ',').repeat(9)}]`,
  );
  expect(told(readYaml(`a0: &a0 [x]\n${levels.join('\n')}\n`, shape))[0]).toMatch(/^not_supported/);
});

test.each([
  ['too large', Buffer.alloc(yamlBytesMax + 1, 32), 'too_large 1:1'],
  ['not UTF-8', Uint8Array.of(0x6e, 0xff, 0xfe), 'not_text 1:1'],
])('refuses bytes that are %s', (_, bytes, expected) => {
  expect(told(readYaml(bytes, shape))[0]).toBe(expected);
});

test.each([['['], ['- '], ['{a: '], ['? '], ['&a ']])('refuses endless nesting by %s', (opening) => {
  expect(told(readYaml(opening.repeat(60_000), shape))[0]).toMatch(/^(syntax|not_supported) /);
});

test('takes no longer for many keys than for few', () => {
  const started = performance.now();
  const keys = Array.from({ length: 25_000 }, (_, index) => `k${index}: 1`);
  expect(told(readYaml(keys.join('\n'), shape))).toHaveLength(50);
  expect(performance.now() - started).toBeLessThan(3_000);
});
