import { placeOf } from './split.ts';
import { openUnitSet } from './unit-set.ts';

test('knows every unit again, tells new ones apart within the stated error, and is full at its bound', () => {
  const units = openUnitSet(100_000);
  const answers = Array.from({ length: 100_000 }, (_, index) => units.add(placeOf(`u${index}`, 'rel_a')));
  // Of 100,000 about one is taken for another; the units are fixed, so this never flickers.
  const taken = answers.filter((answer) => answer === 'known').length;
  expect(taken).toBeLessThanOrEqual(5);
  for (let index = 0; index < 100_000; index += 997) expect(units.add(placeOf(`u${index}`, 'rel_a'))).toBe('known');
  for (let more = 0; more < taken; more += 1) expect(units.add(placeOf(`more${more}`, 'rel_a'))).toBe('new');
  expect(units.add(placeOf('one too many', 'rel_a'))).toBe('full');
});

test('a unit at the very beginning is a unit', () => {
  const units = openUnitSet(10);
  expect([units.add(0), units.add(0)]).toEqual(['new', 'known']);
});
