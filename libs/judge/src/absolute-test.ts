import { logMeanExp } from './log-sum.ts';

/**
 * Units of the canary that stayed good and that turned bad. Both tests depend on the data through these totals alone,
 * so the totals are the whole state.
 */
export type UnitTotals = { readonly bad: number; readonly ok: number };

/** Alternatives p1 = p_slo·m of R, from a slight breach of the objective to an outage. */
const WORSE_FACTORS: readonly number[] = [1.25, 1.5, 2, 3, 5, 10, 30];

/** Alternatives p1 = p_slo/m of S. */
const BETTER_FACTORS: readonly number[] = [1.5, 2, 3, 5, 10];

/**
 * p_slo·m can reach 1 when the objective is loose; then the alternative is "good answers are m times rarer" instead,
 * which is below 1 for every objective. Any p1 fixed in advance above p_slo keeps R an e-value.
 */
function worseRate(objective: number, factor: number): number {
  const rate = objective * factor;
  return rate < 1 ? rate : 1 - (1 - objective) / factor;
}

/** The alternatives of S; a forecast of the missing units needs them one by one. */
export function betterRates(objective: number): readonly number[] {
  return BETTER_FACTORS.map((factor) => objective / factor);
}

/** ln of one likelihood ratio: (p1/p_slo)^bad · ((1−p1)/(1−p_slo))^ok. */
export function logRateLikelihood({ bad, ok }: UnitTotals, objective: number, rate: number): number {
  return bad * Math.log(rate / objective) + ok * Math.log((1 - rate) / (1 - objective));
}

/**
 * ln R: evidence that the share of bad units is *above* the objective (Wald 1945 likelihood ratios, mixed over
 * alternatives; canary.md, "Absolute test"). It decides first releases, where no stable arm can be compared with.
 */
export function logAboveObjective(totals: UnitTotals, objective: number): number {
  return logMeanExp(WORSE_FACTORS.map((factor) => logRateLikelihood(totals, objective, worseRate(objective, factor))));
}

/** ln S: evidence that the share of bad units is *below* the objective; the mirror of R. */
export function logBelowObjective(totals: UnitTotals, objective: number): number {
  return logMeanExp(betterRates(objective).map((rate) => logRateLikelihood(totals, objective, rate)));
}
