import { inverseRegularizedBeta } from './incomplete-beta.ts';

/** Passes among trials. Callers hold 0 ≤ passes ≤ trials; anything else is their bug and throws. */
export type Proportion = { readonly passes: number; readonly trials: number };

/** A two-sided interval. */
export type Interval = { readonly lower: number; readonly upper: number };

/**
 * Search bound for missing trials: nobody runs an evaluation of more cases, so beyond it a bar is called unreachable.
 */
export const TRIALS_MAX = 100_000;

/** Φ⁻¹(0.975), for the two-sided 95 % display interval. */
const NORMAL_TWO_SIDED_95 = 1.959963984540054;

/**
 * One-sided lower bound: the smallest rate under which as many passes would still have a chance of 1 − confidence.
 * Source: Clopper & Pearson 1934; I_p(k, n−k+1) = 1 − confidence.
 */
export function clopperPearsonLower({ passes, trials }: Proportion, confidence: number): number {
  requireProportion({ passes, trials });
  requireConfidence(confidence);
  return passes === 0 ? 0 : inverseRegularizedBeta(1 - confidence, passes, trials - passes + 1);
}

/** One-sided upper bound, the mirror of the lower one: I_p(k+1, n−k) = confidence. */
export function clopperPearsonUpper({ passes, trials }: Proportion, confidence: number): number {
  requireProportion({ passes, trials });
  requireConfidence(confidence);
  return passes === trials ? 1 : inverseRegularizedBeta(confidence, passes + 1, trials - passes);
}

/** Two-sided 95 % interval for display only; decisions use the exact bounds. Source: Wilson 1927. */
export function wilsonInterval({ passes, trials }: Proportion): Interval {
  requireProportion({ passes, trials });
  if (trials === 0) return { lower: 0, upper: 1 };
  const rate = passes / trials;
  const square = NORMAL_TWO_SIDED_95 ** 2 / trials;
  const centre = (rate + square / 2) / (1 + square);
  const half = (NORMAL_TWO_SIDED_95 / (1 + square)) * Math.sqrt((rate * (1 - rate)) / trials + square / (4 * trials));
  return {
    lower: passes === 0 ? 0 : Math.max(0, centre - half),
    upper: passes === trials ? 1 : Math.min(1, centre + half),
  };
}

/** Two-sided 95 % Jeffreys interval, Beta(k+½, n−k+½) quantiles. Source: Brown, Cai & DasGupta 2001. */
export function jeffreysInterval({ passes, trials }: Proportion): Interval {
  requireProportion({ passes, trials });
  const [a, b] = [passes + 0.5, trials - passes + 0.5];
  return {
    lower: passes === 0 ? 0 : inverseRegularizedBeta(0.025, a, b),
    upper: passes === trials ? 1 : inverseRegularizedBeta(0.975, a, b),
  };
}

/** Trials that must all pass for the lower bound to reach the bar: the least n with (1−confidence)^(1/n) ≥ bar. */
export function allPassTrials(bar: number, confidence: number): number | 'unreachable' {
  return smallest(1, TRIALS_MAX, (trials) => reaches({ passes: trials, trials }, bar, confidence));
}

/** Passes that so many trials need for the lower bound to reach the bar. */
export function passesNeeded(trials: number, bar: number, confidence: number): number | 'unreachable' {
  return smallest(0, trials, (passes) => reaches({ passes, trials }, bar, confidence));
}

/** Further trials, all passing, after which the lower bound would reach the bar. */
export function passesMissing(proportion: Proportion, bar: number, confidence: number): number | 'unreachable' {
  const { passes, trials } = proportion;
  return smallest(0, TRIALS_MAX, (more) => reaches({ passes: passes + more, trials: trials + more }, bar, confidence));
}

/**
 * Unbiased pass^k: the chance that k fresh runs of a case all pass, C(c,k)/C(n,k). The plug-in (c/n)^k is too high.
 * Source: Chen et al. 2021 (pass@k) turned to "all" as in Yao et al. 2024 (τ-bench).
 */
export function passPower({ passes, trials }: Proportion, k: number): number {
  requireProportion({ passes, trials });
  if (!Number.isInteger(k) || k < 0 || k > trials) throw new RangeError(`expected k in 0..${trials}, got ${k}`);
  let power = 1;
  for (let index = 0; index < k; index += 1) power *= Math.max(0, passes - index) / (trials - index);
  return power;
}

/** Whether the exact lower bound reaches the bar; a bar of 0 asks nothing and a bar of 1 cannot be shown. */
function reaches(proportion: Proportion, bar: number, confidence: number): boolean {
  return proportion.trials > 0 && clopperPearsonLower(proportion, confidence) >= bar;
}

/** The smallest whole number in a range at which a condition that stays true once it is true holds. */
function smallest(from: number, to: number, holds: (value: number) => boolean): number | 'unreachable' {
  if (to < from || !holds(to)) return 'unreachable';
  let low = from;
  let high = to;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function requireProportion({ passes, trials }: Proportion): void {
  if (!Number.isInteger(passes) || !Number.isInteger(trials) || passes < 0 || passes > trials) {
    throw new RangeError(`expected 0 <= passes <= trials, got ${passes} of ${trials}`);
  }
}

function requireConfidence(confidence: number): void {
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`expected confidence strictly between 0 and 1, got ${confidence}`);
  }
}
