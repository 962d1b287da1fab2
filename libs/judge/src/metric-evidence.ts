import { bet, type Capital, emptyCapital, logCapital } from './capital.ts';
import { canaryLabelShare } from './label-evidence.ts';
import { logAdd } from './log-sum.ts';
import { areHeats, type ArmSamples, emptyRankEvidence, mirrored, observeRanks, sampleCount } from './rank-evidence.ts';
import { SHARE_STAKES } from './share-evidence.ts';

/** What may be judged beside errors. A higher latency or cost is worse, and a lower score. */
export type MetricName = 'latency' | 'score' | 'cost';

/** One metric beside errors, as fixed before the first look. */
export type MetricPlan = {
  readonly metric: MetricName;
  /** π: the part of the starting capital that is put on it. Errors get the rest, so that Σπ = 1. */
  readonly portion: number;
  /** Upper bounds of the histogram's buckets, rising; a last bucket takes the rest. Empty: ranks alone are judged. */
  readonly bounds: readonly number[];
};

/** What is known of one metric; in the order of the plan. */
export type MetricEvidence = {
  /** E4. */
  readonly ranks: Capital;
  /** E3 of "worse than b" for every bound b, all in one capital, since their mean is what counts. Null without bounds. */
  readonly slower: Capital | null;
  readonly samples: { readonly canary: number; readonly stable: number };
  /** Looks in a row with visitors and without one value: the source of this metric is then gone. */
  readonly missingLooksInRow: number;
};

/** Keeps the state small: each bound costs twelve numbers. */
export const METRIC_BOUNDS_MAX = 16;

/** Raw values of one arm in one look; whoever has more sends a histogram. */
const VALUES_MAX = 100_000;

/** More in one look and bucket is a broken counter, not traffic. */
const BUCKET_COUNT_MAX = 1e9;

/** Nothing known yet. */
export function emptyMetricEvidence({ bounds }: MetricPlan): MetricEvidence {
  return {
    ranks: emptyRankEvidence(),
    slower: bounds.length === 0 ? null : emptyCapital(bounds.length * SHARE_STAKES.length, 'early_and_late'),
    samples: { canary: 0, stable: 0 },
    missingLooksInRow: 0,
  };
}

/** What a look says about a metric; undefined samples, or none in both arms, are a gap: nothing is bet. */
export type MetricLook = {
  readonly samples: ArmSamples | undefined;
  readonly share: number;
  readonly rateRatioTolerated: number;
};

/** Adds one look at which there were visitors. */
export function observeMetric(evidence: MetricEvidence, plan: MetricPlan, look: MetricLook): MetricEvidence {
  const { samples } = look;
  const canary = samples === undefined ? 0 : sampleCount(samples.kind, samples.canary);
  const stable = samples === undefined ? 0 : sampleCount(samples.kind, samples.stable);
  if (samples === undefined || canary + stable === 0) {
    return { ...evidence, missingLooksInRow: evidence.missingLooksInRow + 1 };
  }
  const ranked = plan.metric === 'score' ? mirrored(samples) : samples;
  return {
    ranks: observeRanks(evidence.ranks, ranked),
    slower: evidence.slower === null ? null : observeSlower(evidence.slower, samples, { ...look, bounds: plan.bounds }),
    samples: { canary: evidence.samples.canary + canary, stable: evidence.samples.stable + stable },
    missingLooksInRow: 0,
  };
}

/** ln L, L = ½·E4 + ½·mean over bounds b of E3("slower than b") (canary.md, "Latency"); without bounds ln E4. */
export function logMetricEvidence({ ranks, slower }: MetricEvidence): number {
  return slower === null ? logCapital(ranks) : logAdd(logCapital(ranks), logCapital(slower)) - Math.LN2;
}

/** True when these samples cannot be this metric's: no numbers, or buckets that are not those of the plan. */
export function impossibleSamples(samples: ArmSamples, { bounds }: MetricPlan): boolean {
  const { kind, canary, stable, heats = [] } = samples;
  if (!areHeats(heats)) return true;
  if (kind === 'values')
    return ![canary, stable].every((values) => values.length <= VALUES_MAX && values.every(Number.isFinite));
  const buckets = bounds.length === 0 ? stable.length : bounds.length + 1;
  return buckets > METRIC_BOUNDS_MAX + 1 || !areCounts(canary, buckets) || !areCounts(stable, buckets);
}

/** A plan that cannot be tested, in words; undefined when all is well. */
export function metricPlanFault(metrics: readonly MetricPlan[]): string | undefined {
  const names = new Set(metrics.map(({ metric }) => metric));
  if (names.size < metrics.length) return `expected each metric once, got ${metrics.map(({ metric }) => metric)}`;
  const portions = metrics.map(({ portion }) => portion);
  const sum = portions.reduce((total, portion) => total + portion, 0);
  if (!portions.every((portion) => portion > 0) || !(sum < 1)) {
    return `expected portions above 0 that leave a rest below 1 to errors, got ${portions}`;
  }
  for (const { metric, bounds } of metrics) {
    const rising = bounds.every((bound, index) => bound > (index === 0 ? 0 : (bounds[index - 1] as number)));
    if (!rising || bounds.length > METRIC_BOUNDS_MAX || bounds.at(-1) === Number.POSITIVE_INFINITY) {
      return `expected at most ${METRIC_BOUNDS_MAX} rising bounds above 0 of ${metric}, got ${bounds}`;
    }
    if (metric === 'score' && bounds.length > 0) return 'expected no bounds of score, whose ranks alone are judged';
  }
  return undefined;
}

/** Adds one look to E3 of "worse than b", for every bound b. */
function observeSlower(
  slower: Capital,
  { kind, canary, stable }: ArmSamples,
  look: { readonly bounds: readonly number[]; readonly share: number; readonly rateRatioTolerated: number },
): Capital {
  const { bounds, share, rateRatioTolerated } = look;
  const labelShare = canaryLabelShare(share, rateRatioTolerated);
  const ours = kind === 'histogram' ? canary : bucketsOf(canary, bounds);
  const theirs = kind === 'histogram' ? stable : bucketsOf(stable, bounds);
  const relatives = new Array<number>(bounds.length).fill(1);
  let above = 0;
  let total = 0;
  for (let bucket = bounds.length; bucket > 0; bucket -= 1) {
    above += ours[bucket] as number;
    total += (ours[bucket] as number) + (theirs[bucket] as number);
    if (total > 0) relatives[bucket - 1] = above / total / labelShare;
  }
  return bet(slower, SHARE_STAKES, relatives);
}

/** How many values are in each bucket. */
function bucketsOf(values: readonly number[], bounds: readonly number[]): readonly number[] {
  const buckets = new Array<number>(bounds.length + 1).fill(0);
  for (const value of values) {
    const found = bounds.findIndex((bound) => value <= bound);
    const bucket = found === -1 ? bounds.length : found;
    buckets[bucket] = (buckets[bucket] as number) + 1;
  }
  return buckets;
}

function areCounts(arm: readonly number[], buckets: number): boolean {
  if (arm.length !== buckets) return false;
  for (let bucket = 0; bucket < buckets; bucket += 1) {
    const count = arm[bucket] as number;
    if (!(Number.isInteger(count) && count >= 0 && count <= BUCKET_COUNT_MAX)) return false;
  }
  return true;
}
