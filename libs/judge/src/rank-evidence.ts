import { bet, type Capital, emptyCapital } from './capital.ts';

/**
 * E4: betting on the ranks of the canary's values among the stable ones, look by look. If both arms answer alike, every
 * split of a look's values into arms of these sizes is equally likely, whatever their distribution is and however load
 * moves it; so U = P(stable < canary) + ½P(equal) has mean ½. Pooling values over looks would lose that (Simpson).
 * Source: Mann & Whitney 1947 for U; betting as in Waudby-Smith & Ramdas 2024 (canary.md, E4).
 */
export const RANK_STAKES: readonly number[] = [0.05, 0.1, 0.2, 0.4, 0.7, 0.95];

/** Values of both arms in one look: plain ones, or counts in buckets that rise and are the same for both. */
export type ArmSamples = {
  readonly kind: 'values' | 'histogram';
  readonly canary: readonly number[];
  readonly stable: readonly number[];
};

/** Capital 1, half of it for a late start. */
export function emptyRankEvidence(): Capital {
  return emptyCapital(RANK_STAKES.length, 'early_and_late');
}

/** Adds one look: capital ·(1+λ(2U−1)), or 1 when an arm has no value, given that values above are the worse ones. */
export function observeRanks(evidence: Capital, samples: ArmSamples): Capital {
  return bet(evidence, RANK_STAKES, [2 * rankShare(samples)]);
}

/** U, the chance that a canary value exceeds a stable one, ties counted half; ½ when an arm is empty. */
export function rankShare({ kind, canary, stable }: ArmSamples): number {
  return kind === 'histogram' ? rankShareOfBuckets(canary, stable) : rankShareOfValues(canary, stable);
}

/** How many values an arm has. */
export function sampleCount(kind: ArmSamples['kind'], values: readonly number[]): number {
  if (kind === 'values') return values.length;
  let count = 0;
  for (let bucket = 0; bucket < values.length; bucket += 1) count += values[bucket] as number;
  return count;
}

function rankShareOfBuckets(canary: readonly number[], stable: readonly number[]): number {
  let [below, total, pairs] = [0, 0, 0];
  for (let bucket = 0; bucket < stable.length; bucket += 1) {
    const here = stable[bucket] as number;
    const ours = canary[bucket] as number;
    pairs += ours * (below + here / 2);
    below += here;
    total += ours;
  }
  return below === 0 || total === 0 ? 0.5 : pairs / (below * total);
}

function rankShareOfValues(canary: readonly number[], stable: readonly number[]): number {
  if (canary.length === 0 || stable.length === 0) return 0.5;
  const ours = Float64Array.from(canary).sort();
  const theirs = Float64Array.from(stable).sort();
  let [below, notAbove, pairs] = [0, 0, 0];
  for (const value of ours) {
    while (below < theirs.length && (theirs[below] as number) < value) below += 1;
    while (notAbove < theirs.length && (theirs[notAbove] as number) <= value) notAbove += 1;
    pairs += (below + notAbove) / 2;
  }
  return pairs / (ours.length * theirs.length);
}
