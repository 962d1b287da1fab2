import { bet, type Capital, emptyCapital } from './capital.ts';
import { canaryLabelShare, type LabelledCounts } from './label-evidence.ts';

/**
 * E3: betting on the canary's *share* of the bad events of a look. Only the mean of the share is assumed, so events may
 * come in clusters (retries, one unlucky user) without false alarms: a look counts once, however many events it holds.
 * Source: Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting" (canary.md, E3).
 */
export const SHARE_STAKES: readonly number[] = [0.02, 0.05, 0.12, 0.25, 0.5, 0.8];

/** Capital 1, half of it for a late start. Each stake is a fraction of the capital, so the capital never reaches 0. */
export function emptyShareEvidence(): Capital {
  return emptyCapital(SHARE_STAKES.length, 'early_and_late');
}

/** Adds one look. */
export function observeShare(evidence: Capital, counts: LabelledCounts, rateRatioTolerated: number): Capital {
  return bet(evidence, SHARE_STAKES, [relativeShare(counts, rateRatioTolerated)]);
}

/** x = (c/(c+s)) / q(ρ0), or 1 without bad events; its mean is at most 1 when the canary is not worse than ρ0. */
function relativeShare({ share, canary, stable }: LabelledCounts, rateRatioTolerated: number): number {
  const total = canary + stable;
  return total === 0 ? 1 : canary / total / canaryLabelShare(share, rateRatioTolerated);
}
