import { observe } from './canary-judge.ts';
import { startJudge } from './judge-state.ts';
import { COMPARISON } from './fixtures/looks.ts';
import { type CumulativeSample, lookDifference } from './look-difference.ts';

const before: CumulativeSample = {
  source: 'boot-1',
  fence: '1.4',
  weight: 10,
  canary: { units: 10, requests: 12, firstBadUnits: 1, badEvents: 2 },
  stable: { units: 90, requests: 95, firstBadUnits: 3, badEvents: 4 },
};
const after: CumulativeSample = {
  ...before,
  canary: { units: 20, requests: 24, firstBadUnits: 1, badEvents: 3 },
  stable: { units: 180, requests: 190, firstBadUnits: 5, badEvents: 8 },
};

describe('the difference of two samplings', () => {
  test('is the look between them', () => {
    expect(lookDifference(before, after)).toEqual({
      kind: 'look',
      look: {
        canaryWeight: 0.1,
        canaryUnits: 10,
        stableUnits: 90,
        canaryRequests: 12,
        stableRequests: 95,
        canaryFirstBadUnits: 0,
        stableFirstBadUnits: 2,
        canaryBadEvents: 1,
        stableBadEvents: 4,
      },
    });
  });

  test.each([
    ['source_changed', { source: 'boot-2' }],
    ['fence_changed', { fence: '1.5' }],
    ['weight_changed', { weight: 20 }],
    ['counter_went_back', { stable: { ...after.stable, requests: 94 } }],
    ['counter_went_back', { canary: { ...after.canary, badEvents: 1 } }],
  ] as const)('is dropped when %s', (reason, change) => {
    expect(lookDifference(before, { ...after, ...change })).toEqual({ kind: 'dropped', reason });
  });

  test('leaves numbers that are no counts to the judge, who refuses them', () => {
    const difference = lookDifference(before, { ...after, canary: { ...after.canary, units: Number.NaN } });
    if (difference.kind !== 'look') throw new Error('expected a look, got a dropped one');
    expect(observe(startJudge(COMPARISON), difference.look).lastLook).toBe('not_a_count');
  });
});
