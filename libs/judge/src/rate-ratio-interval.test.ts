import fc from 'fast-check';
import { uniform } from './fixtures/looks.ts';
import { canaryLabelShare, emptyLabelEvidence, logLabelEvidence, observeLabels } from './label-evidence.ts';
import { addToStrata, type RateStratum, rateRatioInterval } from './rate-ratio-interval.ts';

/** Strata of a ramp with Bernoulli labels at a true rate ratio. */
function strataAt(rateRatio: number, seed: number): readonly RateStratum[] {
  const random = uniform(seed);
  let strata: readonly RateStratum[] = [];
  for (const share of [0.05, 0.1, 0.2, 0.5]) {
    for (let index = 0; index < 60; index += 1) {
      const canary = random() < canaryLabelShare(share, rateRatio) ? 1 : 0;
      strata = addToStrata(strata, { share, canary, stable: 1 - canary });
    }
  }
  return strata;
}

describe('the interval for the rate ratio', () => {
  test('says anything without data', () => {
    expect(rateRatioInterval([], 0.05)).toEqual({ low: 0, high: null });
  });

  test('is open above while the canary has all the bad units', () => {
    const interval = rateRatioInterval([{ share: 0.5, canary: 40, stable: 0 }], 0.05);
    expect(interval.low).toBeGreaterThan(5);
    expect(interval.high).toBeNull();
  });

  test.each([0.3, 1, 2, 8])('covers a true ratio of %d in at least 95 of 100 canaries', (rateRatio) => {
    let covered = 0;
    for (let seed = 0; seed < 100; seed += 1) {
      const { low, high } = rateRatioInterval(strataAt(rateRatio, seed), 0.05);
      if (low <= rateRatio && (high ?? Number.POSITIVE_INFINITY) >= rateRatio) covered += 1;
    }
    expect(covered).toBeGreaterThanOrEqual(95);
  });

  test('ends below exactly where E1 stops rejecting', () => {
    const strata = strataAt(3, 1);
    const { low } = rateRatioInterval(strata, 0.05);
    const logE1 = (tolerated: number) =>
      logLabelEvidence(
        strata.reduce((state, stratum) => observeLabels(state, stratum, tolerated), emptyLabelEvidence()),
      );
    expect(logE1(low * 0.999)).toBeGreaterThan(Math.log(40));
    expect(logE1(low * 1.001)).toBeLessThan(Math.log(40));
  });

  test('keeps a bounded number of strata', () => {
    const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(fc.array(share, { maxLength: 40 }), (shares) => {
        const strata = shares.reduce<readonly RateStratum[]>(
          (all, each) => addToStrata(all, { share: each, canary: 1, stable: 1 }),
          [],
        );
        expect(strata.length).toBeLessThanOrEqual(12);
        const { low, high } = rateRatioInterval(strata, 0.05);
        expect(low).toBeLessThanOrEqual(high ?? Number.POSITIVE_INFINITY);
      }),
    );
  });
});
