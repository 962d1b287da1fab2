import fc from 'fast-check';
import {
  climbingWeights,
  firstPercentMax,
  type HarmBudget,
  nextWeight,
  planRamp,
  type RampEvidence,
  WEIGHT_STEPS_MAX,
} from './ramp.ts';

const CALM: RampEvidence = { decision: 'hold', logEvidence: 0, dwellMet: true };

describe('the ramp', () => {
  test.each([
    [5, 50, [5, 10, 20, 50, 100]],
    [5, 20, [5, 10, 20, 100]],
    [1, 20, [1, 2, 4, 8, 20, 100]],
    [1, 50, [1, 3, 7, 19, 50, 100]],
    [10, 10, [10, 100]],
    [20, 50, [20, 50, 100]],
  ])('from %i % to a hold at %i % goes %j', (firstPercent, holdPercent, weights) => {
    expect(climbingWeights({ firstPercent, holdPercent })).toEqual(weights);
  });

  test('always climbs, within its steps, from first through hold to 100', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }), (a, b) => {
        const [firstPercent, holdPercent] = [Math.min(a, b), Math.max(a, b)];
        const weights = climbingWeights({ firstPercent, holdPercent });
        expect(weights.length).toBeLessThanOrEqual(WEIGHT_STEPS_MAX);
        expect(weights).toEqual([...new Set(weights)].sort((x, y) => x - y));
        expect([weights[0], weights.at(-2), weights.at(-1)]).toEqual([firstPercent, holdPercent, 100]);
      }),
    );
  });

  test.each([
    [0, 50],
    [20, 10],
    [5, 100],
    [0.5, 10],
    [Number.NaN, 10],
  ])('refuses a plan from %d to %d', (firstPercent, holdPercent) => {
    expect(() => climbingWeights({ firstPercent, holdPercent })).toThrow(
      'expected 1 <= firstPercent <= holdPercent < 100',
    );
  });

  test.each([
    ['starts at the first weight', 0, CALM, 5],
    ['climbs while calm', 10, CALM, 20],
    ['waits for the dwell', 10, { ...CALM, dwellMet: false }, 10],
    ['waits under suspicion', 10, { ...CALM, logEvidence: Math.log(2) }, 10],
    ['waits when the evidence is no number', 10, { ...CALM, logEvidence: Number.NaN }, 10],
    ['holds at the last weight until there is proof', 20, CALM, 20],
    ['advances on proof alone', 5, { ...CALM, decision: 'advance' }, 100],
    ['stays when the judge is unsure', 10, { ...CALM, decision: 'inconclusive' }, 10],
    ['goes to 0 on a rollback', 20, { ...CALM, decision: 'rollback' }, 0],
  ] as const)('%s', (_, current, evidence, expected) => {
    expect(nextWeight({ current, evidence, steps: [5, 10, 20, 100] })).toBe(expected);
  });
});

describe('the plan of a ramp', () => {
  const budget: HarmBudget = {
    badRequestsMax: 100,
    requestsPerSecond: 100,
    badShare: 1,
    lookSeconds: 10,
    rollbackSeconds: 10,
  };

  test('a first weight follows from the harm one is ready to bear', () => {
    expect(firstPercentMax(budget)).toBeCloseTo(5, 12);
    expect(firstPercentMax({ ...budget, requestsPerSecond: 0 })).toBe(100);
  });

  test.each([
    ['doubles from what the budget allows', {}, 'usual', [5, 10, 20, 100], true],
    ['holds at half when time matters', {}, 'fast', [5, 10, 20, 50, 100], true],
    ['never rounds the first weight up', { badRequestsMax: 99 }, 'careful', [4, 10, 100], true],
    ['begins at the hold weight when the budget allows more', { badRequestsMax: 5_000 }, 'usual', [20, 100], true],
    ['begins at the hold weight when nobody comes', { requestsPerSecond: 0 }, 'careful', [10, 100], true],
    ['begins at exactly 1 % when that is all', { badRequestsMax: 20 }, 'usual', [1, 2, 4, 8, 20, 100], true],
    ['says that 1 % is too much', { badRequestsMax: 19 }, 'usual', [1, 2, 4, 8, 20, 100], false],
    ['says so of a budget of nothing', { badRequestsMax: 0 }, 'usual', [1, 2, 4, 8, 20, 100], false],
  ] as const)('%s', (_, change, hold, weights, withinBudget) => {
    expect(planRamp({ ...budget, ...change }, hold)).toMatchObject({ weights, withinBudget });
  });

  test('reckons no more harm than the budget, whatever the traffic, or says so', () => {
    const amount = fc.double({ min: 0, max: 10_000, noNaN: true });
    const any = fc.record({
      badRequestsMax: amount,
      requestsPerSecond: amount,
      badShare: fc.double({ min: 0, max: 1, noNaN: true }),
      lookSeconds: amount,
      rollbackSeconds: amount,
    });
    fc.assert(
      fc.property(any, fc.constantFrom('careful', 'usual', 'fast'), (each, hold) => {
        const { weights, badRequests, withinBudget } = planRamp(each, hold);
        if (withinBudget) expect(badRequests).toBeLessThanOrEqual(each.badRequestsMax * (1 + 1e-9));
        else expect([weights[0], badRequests > each.badRequestsMax * (1 - 1e-9)]).toEqual([1, true]);
      }),
    );
  });

  test.each([[Number.NaN], [-1], [Number.POSITIVE_INFINITY]])('refuses a budget of %d', (badRequestsMax) => {
    expect(() => planRamp({ ...budget, badRequestsMax }, 'usual')).toThrow(
      `expected badRequestsMax from 0, got ${badRequestsMax}`,
    );
  });
});
