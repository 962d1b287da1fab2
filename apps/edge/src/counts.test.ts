import { latencyBoundsMs, openLaneCounter, openUnitMemory } from './counts.ts';

test('a unit counts once, and its first bad event once', () => {
  const counter = openLaneCounter();
  for (let round = 0; round < 3; round += 1) counter.visit('canary', 0.5).bad();
  counter.visit('canary', 0.6);
  expect(counter.read().canary).toMatchObject({ requests: 4, units: 2, badEvents: 3, firstBadUnits: 1 });
  expect(counter.read().stable).toMatchObject({ requests: 0, units: 0 });
});

test('without a name every request is its own unit', () => {
  const counter = openLaneCounter();
  for (let round = 0; round < 3; round += 1) counter.visit('stable', null).bad();
  expect(counter.read().stable).toMatchObject({ requests: 3, units: 3, badEvents: 3, firstBadUnits: 3 });
});

test('one request is one outcome, whatever breaks after it', () => {
  const counter = openLaneCounter();
  const visit = counter.visit('stable', null);
  visit.bad();
  visit.bad();
  visit.aborted();
  expect(counter.read().stable).toMatchObject({ badEvents: 1, aborted: 0 });
});

test('remembers at most its bound of units, and says when it was hit', () => {
  const counter = openLaneCounter(openUnitMemory(2));
  for (const unit of [0.1, 0.2]) counter.visit('stable', unit);
  expect(counter.read().saturated).toBe(false);
  for (const unit of [0.3, 0.1]) counter.visit('stable', unit);
  expect(counter.read()).toMatchObject({ saturated: true, stable: { requests: 4, units: 2 } });
});

test('latency falls into the bucket whose bound it does not exceed', () => {
  const counter = openLaneCounter();
  for (const latencyMs of [1, 1.01, 30_000, 30_001]) counter.visit('stable', null).answered(latencyMs);
  const { latencyHistogram } = counter.read().stable;
  expect(latencyHistogram).toHaveLength(latencyBoundsMs.length + 1);
  expect([latencyHistogram[0], latencyHistogram[1], latencyHistogram.at(-2), latencyHistogram.at(-1)]).toEqual([
    1, 1, 1, 1,
  ]);
});

test('of a unit only the first answer counts for the latency that is judged', () => {
  const counter = openLaneCounter();
  const first = counter.visit('canary', 0.5);
  // Slower than all that the same visitor asks for meanwhile, and still their first.
  for (let round = 0; round < 3; round += 1) counter.visit('canary', 0.5).answered(1);
  first.answered(40_000);
  counter.visit('canary', 0.5 + 2 ** -40).aborted();
  counter.visit('canary', 0.5 + 2 ** -40).answered(1);
  const { latencyHistogram, firstLatencyHistogram = [] } = counter.read().canary;
  expect([latencyHistogram[0], latencyHistogram.at(-1)]).toEqual([4, 1]);
  expect([firstLatencyHistogram[0], firstLatencyHistogram.at(-1)]).toEqual([0, 1]);
});

test('without a name each answer is a first one', () => {
  const counter = openLaneCounter();
  for (let round = 0; round < 3; round += 1) counter.visit('stable', null).answered(1);
  expect(counter.read().stable.firstLatencyHistogram?.[0]).toBe(3);
});

test('of what a release reports, the first value of a named visitor counts, and without a name each', () => {
  const counter = openLaneCounter();
  for (const unit of [0.5, 0.5, 0.6, null, null])
    counter.report('canary', { metric: 'cost', bucket: 3, count: 1, unit });
  counter.report('stable', { metric: 'cost', bucket: 0, count: 7, unit: null });
  expect(counter.read().canary.reported?.cost?.[3]).toBe(4);
  expect(counter.read().stable.reported).toMatchObject({
    cost: expect.arrayContaining([7]),
    score: expect.not.arrayContaining([1]),
  });
});

describe('a unit that was met under another share', () => {
  const memory = openUnitMemory();
  const before = openLaneCounter(memory);
  before.visit('stable', 0.5).bad();
  before.visit('stable', 0.6).answered(1);
  before.report('stable', { metric: 'cost', bucket: 0, count: 1, unit: 0.5 });

  it('is a unit of the side it is moved to, and no fresh draw there', () => {
    const counter = openLaneCounter(memory);
    const visit = counter.visit('canary', 0.5);
    visit.answered(1);
    visit.bad();
    counter.report('canary', { metric: 'cost', bucket: 3, count: 1, unit: 0.5 });
    const { units, firstUnits, badEvents, firstBadUnits, firstLatencyHistogram, reported } = counter.read().canary;
    expect({ units, firstUnits, badEvents, firstBadUnits }).toEqual({
      ...{ units: 1, firstUnits: 0 },
      ...{ badEvents: 1, firstBadUnits: 0 },
    });
    expect([...(firstLatencyHistogram ?? []), ...(reported?.cost ?? [])].filter((count) => count > 0)).toEqual([]);
  });

  it('fails for the first time whenever it does so, however long it is known', () => {
    const counter = openLaneCounter(memory);
    counter.visit('stable', 0.6).bad();
    expect(counter.read().stable).toMatchObject({ units: 0, requests: 1, badEvents: 1, firstBadUnits: 1 });
  });
});
