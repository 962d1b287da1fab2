import { bet, betInTurn, type Capital, emptyCapital } from './capital.ts';

/**
 * E4: betting on the ranks of the canary's values among the stable ones, look by look. If both arms answer alike, every
 * split of a look's values into arms of these sizes is equally likely, whatever their distribution is and however load
 * moves it; so U = P(stable < canary) + ½P(equal) has mean ½. Pooling values over looks would lose that (Simpson).
 * Source: Mann & Whitney 1947 for U; betting as in Waudby-Smith & Ramdas 2024 (canary.md, E4).
 */
export const RANK_STAKES: readonly number[] = [0.05, 0.1, 0.2, 0.4, 0.7, 0.95];

/**
 * A few values of a look that came after one another, compared with each other alone: how many are the canary's, how many
 * stable's, and twice the number of pairs in which the canary's is the higher one, where a tie is half a pair.
 */
export type Heat = readonly [canary: number, stable: number, twiceAbove: number];

/** More in one heat is a broken counter. */
const HEAT_VALUES_MAX = 1e6;

/** No product of so many factors overflows together with a capital of 2^512, since none is above 1.95. */
export const HEATS_MAX = 512;

/** Values of both arms in one look: plain ones, or counts in buckets that rise and are the same for both. */
export type ArmSamples = {
  readonly kind: 'values' | 'histogram';
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  /**
   * The same values in heats, none of which lies in two looks. The ranks are then bet on heat by heat: a stake is below
   * the capital, so one bet gains little however many values are in it, and a look of many seconds would waste them.
   */
  readonly heats?: readonly Heat[];
};

/** Capital 1, half of it for a late start. */
export function emptyRankEvidence(): Capital {
  return emptyCapital(RANK_STAKES.length, 'early_and_late');
}

/**
 * Adds one look: capital ·(1+λ(2U−1)), or the product of that over its heats; 1 when an arm has no value. Values above are
 * the worse ones. Each heat is fair given those before it, since its arms were drawn for it alone.
 */
export function observeRanks(evidence: Capital, samples: ArmSamples): Capital {
  const { heats } = samples;
  if (heats === undefined) return bet(evidence, RANK_STAKES, [2 * rankShare(samples)]);
  return betInTurn(evidence, RANK_STAKES, heats.map(twiceShareOf));
}

/** The same with higher values the better ones. */
export function mirrored({ kind, canary, stable, heats }: ArmSamples): ArmSamples {
  const turned = { kind, canary: stable, stable: canary };
  return heats === undefined
    ? turned
    : { ...turned, heats: heats.map(([ours, theirs, above]) => [theirs, ours, 2 * ours * theirs - above]) };
}

/** True when these can be heats: whole counts, and no more pairs than there are. By index: a look may hold hundreds. */
export function areHeats(heats: readonly Heat[]): boolean {
  if (heats.length > HEATS_MAX) return false;
  for (let index = 0; index < heats.length; index += 1) {
    const heat = heats[index] as Heat;
    const twiceAbove = heat[2];
    if (!isPart(heat[0]) || !isPart(heat[1])) return false;
    if (!(Number.isInteger(twiceAbove) && twiceAbove >= 0 && twiceAbove <= 2 * heat[0] * heat[1])) return false;
  }
  return true;
}

function isPart(count: number): boolean {
  return Number.isInteger(count) && count >= 0 && count <= HEAT_VALUES_MAX;
}

function twiceShareOf(heat: Heat): number {
  const pairs = heat[0] * heat[1];
  return pairs === 0 ? 1 : heat[2] / pairs;
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
  let below = 0;
  let total = 0;
  let pairs = 0;
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
