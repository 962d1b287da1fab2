import fc from 'fast-check';
import { firstPercentMax, nextWeight, planRamp, type RampEvidence, WEIGHT_STEPS_MAX } from './ramp.ts';

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
    expect(planRamp({ firstPercent, holdPercent })).toEqual(weights);
  });

  test('always climbs, within its steps, from first through hold to 100', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 }), (a, b) => {
        const [firstPercent, holdPercent] = [Math.min(a, b), Math.max(a, b)];
        const weights = planRamp({ firstPercent, holdPercent });
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
    expect(() => planRamp({ firstPercent, holdPercent })).toThrow('expected 1 <= firstPercent <= holdPercent < 100');
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

  test('a first weight follows from the harm one is ready to bear', () => {
    const budget = { badRequestsMax: 100, requestsPerSecond: 100, badShare: 1, lookSeconds: 10, rollbackSeconds: 10 };
    expect(firstPercentMax(budget)).toBeCloseTo(5, 12);
    expect(firstPercentMax({ ...budget, requestsPerSecond: 0 })).toBe(100);
  });
});
