import { openLaneCounter, openUnitMemory } from './counts.ts';
import { HEAT_VALUES, HEATS_KEPT, openHeats } from './heats.ts';

const share = 0;

test('a heat ends with its last value, whichever arm gave it, and tells how the arms compare', () => {
  const heats = openHeats();
  for (let value = 0; value < HEAT_VALUES - 2; value += 1) heats.add({ arm: 'stable', latencyMs: 10, share });
  heats.add({ arm: 'canary', latencyMs: 11, share });
  heats.add({ arm: 'canary', latencyMs: 10, share });
  heats.add({ arm: 'canary', latencyMs: 9, share });
  const pairs = HEAT_VALUES - 2;
  expect(heats.read()).toEqual({
    finished: 2,
    newest: [
      [2, pairs, 2 * pairs + pairs],
      [1, 0, 0],
    ],
  });
});

test('no heat lies in two looks: a reading ends the one under way, and none twice', () => {
  const heats = openHeats();
  heats.add({ arm: 'canary', latencyMs: 1, share });
  expect([heats.read().finished, heats.read().finished]).toEqual([1, 1]);
  heats.add({ arm: 'stable', latencyMs: 1, share });
  expect(heats.read().newest).toEqual([
    [1, 0, 0],
    [0, 1, 0],
  ]);
});

test('a value that began under another share is in no heat', () => {
  const heats = openHeats();
  const before = heats.share();
  heats.turn();
  heats.add({ arm: 'canary', latencyMs: 1, share: before });
  expect(heats.read()).toEqual({ finished: 0, newest: [] });
});

test('keeps at most its bound of heats, and goes on counting them', () => {
  const heats = openHeats();
  for (let heat = 0; heat < HEATS_KEPT + 3; heat += 1) {
    heats.add({ arm: 'canary', latencyMs: 1, share });
    heats.read();
  }
  const { finished, newest } = heats.read();
  expect([finished, newest.length]).toEqual([HEATS_KEPT + 3, HEATS_KEPT]);
});

test('only the first answer of a visitor is in a heat, and none whose request began under another share', () => {
  const counter = openLaneCounter(openUnitMemory());
  const early = counter.visit('stable', 0.7);
  counter.turn();
  early.answered(5);
  for (const latencyMs of [1, 2]) counter.visit('canary', 0.5).answered(latencyMs);
  counter.visit('stable', 0.6).answered(1);
  expect(counter.read().heats.newest).toEqual([[1, 1, 1]]);
});
