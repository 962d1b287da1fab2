import { bet, type Capital, emptyCapital } from './capital.ts';
import type { LabelledCounts } from './label-evidence.ts';

/**
 * SAFE: evidence *against* "the canary is at least ρmax times as bad", the mirror image of E3. Not having found a
 * regression is no reason to advance; only this is. Its stakes are larger than E3's because the mirrored share moves
 * little at small weights.
 * Source: canary.md, SAFE; betting as in Waudby-Smith & Ramdas 2024.
 */
export const SAFETY_STAKES: readonly number[] = [0.1, 0.25, 0.5, 0.75, 0.95];

/** Capital 1 on every stake. */
export function emptySafetyEvidence(): Capital {
  return emptyCapital(SAFETY_STAKES.length, 'early');
}

/** Adds one look: capital ·(1−f+f·y) with y = (1−share)/(1−q(ρmax)), or nothing without bad units. */
export function observeSafety(evidence: Capital, counts: LabelledCounts, rateRatioMax: number): Capital {
  const { share, canary, stable } = counts;
  const total = canary + stable;
  if (total === 0) return evidence;
  // 1/(1−q) = (1−w+wρ)/(1−w): written so, a share close to 1 does not divide 0 by 0.
  const mirrored = (1 - share + share * rateRatioMax) / (1 - share);
  return bet(evidence, SAFETY_STAKES, [(stable / total) * mirrored]);
}
