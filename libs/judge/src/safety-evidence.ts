import { canaryLabelShare, type LabelledCounts } from './label-evidence.ts';
import { logMeanExp } from './log-sum.ts';

/**
 * SAFE: evidence *against* "the canary is at least ρmax times as bad", the mirror image of E3. Not having found a
 * regression is no reason to advance; only this is.
 * Source: canary.md, SAFE; betting as in Waudby-Smith & Ramdas 2024.
 */
export type SafetyEvidence = readonly number[];

/** Stakes f, larger than E3's because the mirrored share moves little at small weights. */
export const SAFETY_STAKES: readonly number[] = [0.1, 0.25, 0.5, 0.75, 0.95];

/** Capital 1 on every stake. */
export function emptySafetyEvidence(): SafetyEvidence {
  return SAFETY_STAKES.map(() => 0);
}

/** Adds one look: capital ·(1−f+f·y) with y = (1−share)/(1−q(ρmax)), or 1 without bad units. */
export function observeSafety(evidence: SafetyEvidence, counts: LabelledCounts, rateRatioMax: number): SafetyEvidence {
  const total = counts.canary + counts.stable;
  if (total === 0) return evidence;
  const y = counts.stable / total / (1 - canaryLabelShare(counts.share, rateRatioMax));
  return evidence.map((log, index) => log + Math.log1p((SAFETY_STAKES[index] as number) * (y - 1)));
}

/** ln SAFE, the mean over the stakes. */
export function logSafetyEvidence(evidence: SafetyEvidence): number {
  return logMeanExp(evidence);
}
