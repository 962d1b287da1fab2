import fc from 'fast-check';
import {
  allPassTrials,
  clopperPearsonLower,
  clopperPearsonUpper,
  jeffreysInterval,
  passesMissing,
  passesNeeded,
  passPower,
  wilsonInterval,
} from './bounds.ts';
import { inverseRegularizedBeta, regularizedBeta } from './incomplete-beta.ts';

describe('exact bounds', () => {
  test.each([
    [18, 20, 0.717381],
    [28, 31, 0.768497],
    [95, 100, 0.897747],
    [98, 100, 0.938381],
    [190, 200, 0.916665],
    [59, 59, 0.950492],
    [300, 300, 0.990064],
    [0, 10, 0],
  ])('the one-sided 95 % lower bound of %i of %i is %d', (passes, trials, expected) => {
    expect(clopperPearsonLower({ passes, trials }, 0.95)).toBeCloseTo(expected, 6);
  });

  test.each([
    [0, 20, 0.139108],
    [0, 59, 0.049508],
    [0, 299, 0.009969],
    [20, 20, 1],
  ])('the one-sided 95 % upper bound of %i of %i is %d', (passes, trials, expected) => {
    expect(clopperPearsonUpper({ passes, trials }, 0.95)).toBeCloseTo(expected, 6);
  });

  test.each([
    [20, 20, 0.838875, 1],
    [95, 100, 0.88825, 0.978456],
    [9, 10, 0.59585, 0.982124],
    [2, 3, 0.20766, 0.938508],
  ])('the Wilson interval of %i of %i is [%d, %d]', (passes, trials, lower, upper) => {
    expect(wilsonInterval({ passes, trials }).lower).toBeCloseTo(lower, 6);
    expect(wilsonInterval({ passes, trials }).upper).toBeCloseTo(upper, 6);
  });

  test('the Jeffreys interval of 95 of 100 is [0.8939, 0.980668]', () => {
    expect(jeffreysInterval({ passes: 95, trials: 100 }).lower).toBeCloseTo(0.8939, 6);
    expect(jeffreysInterval({ passes: 95, trials: 100 }).upper).toBeCloseTo(0.980668, 6);
  });

  test('refuses impossible counts and confidences', () => {
    expect(() => clopperPearsonLower({ passes: 3, trials: 2 }, 0.95)).toThrow('expected 0 <= passes <= trials');
    expect(() => clopperPearsonUpper({ passes: Number.NaN, trials: 2 }, 0.95)).toThrow('got NaN of 2');
    expect(() => clopperPearsonUpper({ passes: 1, trials: 2 }, 1)).toThrow('expected confidence');
  });
});

describe('missing trials', () => {
  test.each([
    [0.9, 29],
    [0.95, 59],
    [0.99, 299],
    [0.999, 2995],
  ])('a bar of %d needs %i trials when all pass', (bar, trials) => {
    expect(allPassTrials(bar, 0.95)).toBe(trials);
    expect(passesMissing({ passes: 0, trials: 0 }, bar, 0.95)).toBe(trials);
  });

  test.each([
    [50, 49],
    [100, 96],
    [200, 188],
    [300, 279],
    [20, 'unreachable'],
  ] as const)('of %i trials %s must pass for a bar of 0.9', (trials, passes) => {
    expect(passesNeeded(trials, 0.9, 0.95)).toBe(passes);
  });

  test('a bar of 1 cannot be shown by any number of trials', () => {
    expect(allPassTrials(1, 0.95)).toBe('unreachable');
  });
});

describe('pass^k', () => {
  test.each([
    [9, 10, 3, 0.7],
    [8, 10, 3, 0.466667],
    [2, 10, 3, 0],
    [5, 5, 5, 1],
  ])('%i passes of %i give pass^%i of %d', (passes, trials, k, expected) => {
    expect(passPower({ passes, trials }, k)).toBeCloseTo(expected, 6);
  });

  test('refuses more runs than were made', () => {
    expect(() => passPower({ passes: 2, trials: 2 }, 3)).toThrow('expected k in 0..2, got 3');
  });
});

describe('the incomplete beta function', () => {
  // The same number by an independent way: the binomial tail summed term by term.
  function tail(passes: number, trials: number, rate: number): number {
    let term = rate ** trials;
    let sum = 0;
    for (let k = trials; k >= passes; k -= 1) {
      sum += term;
      term *= (k / (trials - k + 1)) * ((1 - rate) / rate);
    }
    return sum;
  }

  test.each([
    [7, 10, 0.6],
    [95, 100, 0.9],
    [1, 40, 0.02],
    [180, 300, 0.55],
  ])('equals the binomial tail of %i of %i at %d to 1e-12', (passes, trials, rate) => {
    expect(Math.abs(regularizedBeta(rate, passes, trials - passes + 1) - tail(passes, trials, rate))).toBeLessThan(
      1e-12,
    );
  });

  test('inverts to 1e-12 and never becomes NaN', () => {
    const shape = fc.double({ min: 0.5, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(shape, shape, fc.double({ min: 0.001, max: 0.999, noNaN: true }), (a, b, p) => {
        const x = inverseRegularizedBeta(p, a, b);
        const [before, next] = [regularizedBeta(x - 1e-12, a, b), regularizedBeta(x + 1e-12, a, b)];
        expect(before - 1e-9).toBeLessThanOrEqual(p);
        expect(next + 1e-9).toBeGreaterThanOrEqual(p);
      }),
      { numRuns: 40 },
    );
  });
});
