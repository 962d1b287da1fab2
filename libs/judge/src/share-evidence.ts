import { canaryLabelShare, type LabelledCounts } from './label-evidence.ts';
import { LOG_OF_NOTHING, logAdd, logMeanExp } from './log-sum.ts';

/**
 * E3: betting on the canary's *share* of the bad events of a look. Only the mean of the share is assumed, so events may
 * come in clusters (retries, one unlucky user) without false alarms: a look counts once, however many events it holds.
 * Source: Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting" (canary.md, E3).
 */
export type ShareEvidence = {
  /** Looks that were bet on; it also says how much of the late-start money has been paid out. */
  readonly looks: number;
  /** ln K_f: capital of the stakes that play from the first look. */
  readonly logs: readonly number[];
  /** ln M_f: capital of the stakes that start late, for a regression that begins later. */
  readonly lateLogs: readonly number[];
};

/** Stakes f; each is a fraction of the capital, so the capital never reaches 0. */
export const SHARE_STAKES: readonly number[] = [0.02, 0.05, 0.12, 0.25, 0.5, 0.8];

/** H: the late-start money is paid out evenly over this many looks (an hour at ten seconds a look). */
export const LATE_START_LOOKS = 360;

const LOG_INSTALMENT = -Math.log(LATE_START_LOOKS);

/** Capital 1 on every stake, nothing paid out yet. */
export function emptyShareEvidence(): ShareEvidence {
  return { looks: 0, logs: SHARE_STAKES.map(() => 0), lateLogs: SHARE_STAKES.map(() => LOG_OF_NOTHING) };
}

/** x = (c/(c+s)) / q(ρ0), or 1 without bad events; its mean is at most 1 when the canary is not worse than ρ0. */
function relativeShare({ share, canary, stable }: LabelledCounts, rateRatioTolerated: number): number {
  const total = canary + stable;
  return total === 0 ? 1 : canary / total / canaryLabelShare(share, rateRatioTolerated);
}

/**
 * Adds one look: K_f ← K_f·(1−f+f·x) and M_f ← (M_f + 1/H)·(1−f+f·x). The instalment 1/H stops after H looks, because
 * then the late-start money is spent; going on would mint evidence out of nothing.
 */
export function observeShare(
  evidence: ShareEvidence,
  counts: LabelledCounts,
  rateRatioTolerated: number,
): ShareEvidence {
  const x = relativeShare(counts, rateRatioTolerated);
  const gains = SHARE_STAKES.map((stake) => (x === 1 ? 0 : Math.log1p(stake * (x - 1))));
  const pays = evidence.looks < LATE_START_LOOKS;
  return {
    looks: evidence.looks + 1,
    logs: evidence.logs.map((log, index) => log + (gains[index] as number)),
    lateLogs: evidence.lateLogs.map((log, index) => {
      const funded = pays ? logAdd(log, LOG_INSTALMENT) : log;
      return funded + (gains[index] as number);
    }),
  };
}

/** ln E3 = ln(½·mean K_f + ½·(mean M_f + max(0, 1 − k/H))), where the last term is the money not yet paid out. */
export function logShareEvidence(evidence: ShareEvidence): number {
  const unpaid = Math.max(0, 1 - evidence.looks / LATE_START_LOOKS);
  const late = logMeanExp(evidence.lateLogs);
  const lateTotal = unpaid > 0 ? logAdd(late, Math.log(unpaid)) : late;
  return logAdd(logMeanExp(evidence.logs), lateTotal) - Math.LN2;
}
