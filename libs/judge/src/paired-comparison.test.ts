import fc from 'fast-check';
import { clusteredError, holmAdjusted, mcNemarExact, pairedDifference } from './paired-comparison.ts';

describe('paired comparison with the live release', () => {
  test.each([
    [10, 2, 0.019287],
    [6, 0, 0.015625],
    [5, 0, 0.03125],
    [8, 1, 0.019531],
    [20, 10, 0.049369],
    [1, 1, 0.75],
    [0, 0, 1],
    [0, 9, 1],
  ])('exact McNemar of (%i, %i) is %d', (onlyLive, onlyCandidate, expected) => {
    expect(mcNemarExact({ onlyLive, onlyCandidate })).toBeCloseTo(expected, 6);
  });

  test('exact McNemar stays a probability for thousands of pairs', () => {
    expect(mcNemarExact({ onlyLive: 5000, onlyCandidate: 5000 })).toBeCloseTo(0.503989, 5);
  });

  test('the non-inferiority difference has a one-sided lower bound', () => {
    const { difference, error, lower } = pairedDifference(200, { onlyLive: 10, onlyCandidate: 4 });
    expect(difference).toBeCloseTo(-0.03, 12);
    expect(error).toBeCloseTo(0.018588, 6);
    expect(lower).toBeCloseTo(-0.060574, 6);
  });

  test('Holm adjusts in the order given', () => {
    const adjusted = holmAdjusted([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((expected, index) => expect(adjusted[index]).toBeCloseTo(expected, 12));
    expect(holmAdjusted([])).toEqual([]);
  });

  test('Holm never lowers a p-value and never passes 1', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (pValues) => {
        holmAdjusted(pValues).forEach((adjusted, index) => {
          expect(adjusted).toBeGreaterThanOrEqual(pValues[index] as number);
          expect(adjusted).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  test('repeats of one case widen the error of the mean', () => {
    const clusters = [
      { passes: 3, trials: 3 },
      { passes: 0, trials: 3 },
      { passes: 2, trials: 3 },
    ];
    const naive = Math.sqrt(((5 / 9) * (4 / 9)) / 9);
    expect(naive).toBeCloseTo(0.165635, 6);
    expect(clusteredError(clusters)).toBeCloseTo(0.240027, 6);
    expect(clusteredError([])).toBe(0);
  });
});
