import { choose, openPlaces, placeOf, type SplitFacts } from './split.ts';

const facts: SplitFacts = {
  closed: false,
  hasStable: true,
  stableReady: true,
  hasCanary: true,
  canaryReady: true,
  leasedShare: 0.25,
  unit: 0.1,
};

const cases: readonly (readonly [string, Partial<SplitFacts>, string])[] = [
  ['a unit below the share meets the canary', {}, 'canary'],
  ['a unit just below the share meets the canary', { unit: 0.25 - Number.EPSILON }, 'canary'],
  ['a unit at the share meets stable', { unit: 0.25 }, 'stable'],
  ['nobody meets a canary at share 0', { leasedShare: 0, unit: 0 }, 'stable'],
  ['everybody meets it at share 1', { leasedShare: 1, unit: 1 - Number.EPSILON }, 'canary'],
  ['the share of a canary that is not ready goes to stable', { canaryReady: false }, 'stable'],
  ['stable down is not hidden by the canary', { stableReady: false, unit: 0.9 }, 'unavailable'],
  ['a share of 1 needs no stable', { leasedShare: 1, hasStable: false, stableReady: false }, 'canary'],
  ['others wait for a first release', { hasStable: false, stableReady: false, unit: 0.9 }, 'not_open'],
  [
    'a first release that is down is not "not open"',
    { hasStable: false, stableReady: false, canaryReady: false },
    'unavailable',
  ],
  ['closed wins over everything', { closed: true }, 'closed'],
  ['a lane without releases is closed', { hasStable: false, hasCanary: false }, 'closed'],
];

test.each(cases)('%s', (_name, change, expected) => {
  const choice = choose({ ...facts, ...change });
  expect(choice.kind === 'arm' ? choice.arm : choice.kind).toBe(expected);
});

test('places are uniform, the same for the same unit, and independent from release to release', () => {
  const places = Array.from({ length: 10_000 }, (_, index) => placeOf(`u${index}`, 'rel_a'));
  const tenths = new Array<number>(10).fill(0);
  for (const place of places) tenths[Math.floor(place * 10)] = (tenths[Math.floor(place * 10)] ?? 0) + 1;
  // Chi-square with 9 degrees of freedom: 27.9 is its 99.9 % quantile; the units are fixed, so this never flickers.
  expect(tenths.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)).toBeLessThan(27.9);
  expect(placeOf('u1', 'rel_a')).toBe(places[1]);
  const both = places.filter((place, index) => place < 0.1 && placeOf(`u${index}`, 'rel_b') < 0.1).length;
  expect(both).toBeGreaterThan(60);
  expect(both).toBeLessThan(140);
});

test('a remembered place is the place, also after more visitors than are remembered', () => {
  const remembered = openPlaces();
  for (const round of [0, 1]) {
    for (let index = 0; index < 10_000; index += 1 + round * 7)
      expect(remembered(`u${index}`, 'rel_a')).toBe(placeOf(`u${index}`, 'rel_a'));
  }
  expect(remembered('u1', 'rel_b')).toBe(placeOf('u1', 'rel_b'));
});
