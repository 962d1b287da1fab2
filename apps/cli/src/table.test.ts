import { facts, plainLine, short, table } from './table.ts';

test('columns are aligned and lines end without spaces', () => {
  expect(
    table(
      ['id', 'state'],
      [
        ['prm_1', 'live'],
        ['prm_22', 'running'],
      ],
    ),
  ).toBe('ID      STATE\nprm_1   live\nprm_22  running');
});

test('a table without rows is its heading', () => {
  expect(table(['id', 'state'], [])).toBe('ID  STATE');
});

test('a long cell is shortened and a new line in it starts no new row', () => {
  const lines = table(['what'], [['a\nb'], ['x'.repeat(200)]]).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toBe('a b');
  expect(lines[2]).toBe(`${'x'.repeat(89)}…`);
});

test('text from outside can move no cursor and turn no letters around', () => {
  expect(plainLine('\u001b[2Jpassed\u202egnp')).toBe(' [2Jpassed gnp');
});

test('names and values stand in two columns', () => {
  expect(
    facts([
      ['a', '1'],
      ['long name', '2'],
    ]),
  ).toBe('a          1\nlong name  2');
});

test('a digest is told by its first twelve digits, a missing one by a dash', () => {
  expect(short(`sha256:${'ab'.repeat(32)}`)).toBe('abababababab');
  expect(short(null)).toBe('–');
});
