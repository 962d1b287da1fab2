import { logMeanExp } from './log-sum.ts';

/**
 * E1: evidence from the *labels* of bad units. If the canary is no worse, a bad unit belongs to the canary with the
 * known probability q(ρ0), whatever the load and the base rate do; so only the labels are tested, look by look.
 * Source: Lindon & Malek 2022, "Anytime-Valid Inference For Multinomial Count Data" (canary.md, E1).
 */
export type LabelEvidence = readonly number[];

/** The bad units of one look, by arm, and the canary's share of the traffic in it (strictly between 0 and 1). */
export type LabelledCounts = { readonly share: number; readonly canary: number; readonly stable: number };

/** Alternatives ρ/ρ0 that E1 averages over: from a slight regression to an outage. Fixed before any data. */
export const RATE_RATIO_FACTORS: readonly number[] = [1.25, 1.5, 2, 3, 5, 10, 30];

const LOG_FACTORS: readonly number[] = RATE_RATIO_FACTORS.map((factor) => Math.log(factor));

/** q(ρ) = wρ / (1 − w + wρ): the chance that a bad event is the canary's, at canary share w and rate ratio ρ. */
export function canaryLabelShare(share: number, rateRatio: number): number {
  return (share * rateRatio) / (1 - share + share * rateRatio);
}

/** No evidence either way: every likelihood ratio is 1. */
export function emptyLabelEvidence(): LabelEvidence {
  return RATE_RATIO_FACTORS.map(() => 0);
}

/**
 * Adds one look: logLR(ρ) += c·ln(q(ρ)/q(ρ0)) + s·ln((1−q(ρ))/(1−q(ρ0))). Written with D(ρ) = 1 − w + wρ this is
 * c·ln(ρ/ρ0) − (c+s)·ln(D(ρ)/D(ρ0)), one logarithm for each alternative.
 */
export function observeLabels(
  evidence: LabelEvidence,
  counts: LabelledCounts,
  rateRatioTolerated: number,
): LabelEvidence {
  const { share, canary, stable } = counts;
  if (canary + stable === 0) return evidence;
  const tolerated = 1 - share + share * rateRatioTolerated;
  const next = evidence.slice();
  for (let index = 0; index < next.length; index += 1) {
    const alternative = 1 - share + share * rateRatioTolerated * (RATE_RATIO_FACTORS[index] as number);
    const gain = canary * (LOG_FACTORS[index] as number);
    next[index] = (next[index] as number) + (gain - (canary + stable) * Math.log(alternative / tolerated));
  }
  return next;
}

/** ln E1, the mean over the alternatives. */
export function logLabelEvidence(evidence: LabelEvidence): number {
  return logMeanExp(evidence);
}
