import type { LaneId, PromotionId } from '@proviso/domain';
import { type ArmSamples, type Heat, HEATS_MAX, type MetricName } from '@proviso/judge';
import type { LaneCounts, LaneHeats } from '@proviso/targets';

/** Whose values are asked for, at one look. */
export interface MetricSubject {
  readonly promotion: PromotionId;
  readonly lane: LaneId;
  readonly metric: MetricName;
  /** The releases of the two arms, as the edge names them. */
  readonly canary: string;
  readonly stable: string;
  /** What the edge counted, read for this very look, and when that was by our clock. */
  readonly counts: LaneCounts;
  readonly now: number;
}

/**
 * Values of both arms since their counters began, in buckets. Only differences are evidence, and of those only what lies
 * under one share of users: a source says when its counters stood so, and the course leaves out what spans a change.
 */
export interface MetricCounters {
  /** Which life of the counters: those of two lives are never subtracted. */
  readonly life: string;
  /**
   * When they stood like this, in milliseconds since 1970. Behind now for a source that collects now and then; the same
   * moment again means that nothing was collected since, which is neither evidence nor silence.
   */
  readonly at: number;
  /**
   * When the younger of the two arms stood like this, where they are collected one after the other; `at` is the older one
   * then. A look takes what is newer in both: the values of one arm alone compare with nothing and would be used up.
   */
  readonly youngerAt?: number;
  /** Upper bounds of the buckets, rising; a last bucket takes what is above. The same for both arms. */
  readonly bounds: readonly number[];
  readonly canary: readonly number[];
  readonly stable: readonly number[];
  /** How values compare from moment to moment, where the source sees them come. */
  readonly heats?: LaneHeats;
  /** How they stood when the present share began, from a source that saw it begin: a first look counts from there. */
  readonly began?: Pick<MetricCounters, 'canary' | 'stable' | 'heats'>;
}

/** Why a source has nothing that could be judged. */
export type MetricGap =
  /** It knows nothing of this metric. */
  | 'absent'
  /** Its newest counters are older than it may say. */
  | 'stale'
  | 'unreachable'
  /** It answered with something that cannot be read. */
  | 'bad_answer'
  /** Several series where one was expected: whose values they are is unknown. */
  | 'several_series'
  | 'not_a_number';

/** What a source says when it is asked. */
export type MetricReading =
  | { readonly kind: 'counted'; readonly counters: MetricCounters }
  | {
      readonly kind: 'none';
      readonly why: MetricGap;
      /** What is in the way, for whoever can mend it; no address and no stranger's text. */
      readonly words?: string;
    };

/**
 * Where the values of one metric come from. Reading never throws for what a source does or fails to do, and ends within
 * a part of a look; where units are sticky, it gives each unit's first value alone if it can tell units apart.
 */
export interface MetricSource {
  readonly read: (subject: MetricSubject) => Promise<MetricReading>;
}

/** What came of each metric of the plan at one look. */
export type MetricReadings = Readonly<Partial<Record<MetricName, MetricReading>>>;

const plainGaps: Readonly<Record<MetricGap, string>> = {
  absent: 'there are no values of it',
  stale: 'its newest values are too old',
  unreachable: 'whoever has its values does not answer',
  bad_answer: 'its values cannot be read',
  several_series: 'there are several series where one was expected',
  not_a_number: 'its values are no counts',
};

/** Why metrics had no values at one look, for people; empty when all had some. */
export function gapsInWords(readings: MetricReadings): readonly string[] {
  return Object.entries(readings).flatMap(([metric, reading]) =>
    reading.kind === 'none' ? [`${metric}: ${reading.words ?? plainGaps[reading.why]}`] : [],
  );
}

/** The same values in fewer buckets, as a policy may want them; null when its bounds are not among them. */
export function inBounds(counters: MetricCounters, bounds: readonly number[]): MetricCounters | null {
  if (bounds.length === 0) return counters;
  const ends = bounds.map((bound) => counters.bounds.indexOf(bound));
  if (ends.includes(-1)) return null;
  const merged = (arm: readonly number[]): readonly number[] =>
    [...ends, counters.bounds.length].map((end, index) =>
      sum(arm.slice(index === 0 ? 0 : (ends[index - 1] as number) + 1, end + 1)),
    );
  const { canary, stable, began } = counters;
  const then = began && { ...began, canary: merged(began.canary), stable: merged(began.stable) };
  return { ...counters, bounds, canary: merged(canary), stable: merged(stable), ...(then && { began: then }) };
}

/** What was counted between two readings; null when they cannot be compared, or a counter went back. */
export function samplesBetween(before: MetricCounters, after: MetricCounters): ArmSamples | null {
  const comparable =
    before.life === after.life &&
    before.bounds.length === after.bounds.length &&
    before.bounds.every((bound, index) => bound === after.bounds[index]);
  if (!comparable) return null;
  const [canary, stable] = [grown(before.canary, after.canary), grown(before.stable, after.stable)];
  const heats = heatsBetween(before.heats, after.heats);
  if (canary === null || stable === null || heats === null) return null;
  return { kind: 'histogram', canary, stable, ...(heats !== undefined && { heats }) };
}

/** Counters that are used up: of their heats only the number is asked for again, and nothing of their beginning. */
export function usedUpOf({ heats, began: _, ...counters }: MetricCounters): MetricCounters {
  return heats === undefined ? counters : { ...counters, heats: { finished: heats.finished, newest: [] } };
}

/** Counters as they stood when the present share began; undefined when their source did not see that. */
export function beginningOf(counters: MetricCounters): MetricCounters | undefined {
  const { began, heats: _, ...now } = counters;
  return began && usedUpOf({ ...now, ...began });
}

/** The heats that came since; undefined where none are known, null when their number went back. */
function heatsBetween(before: LaneHeats | undefined, after: LaneHeats | undefined): readonly Heat[] | undefined | null {
  if (before === undefined || after === undefined) return undefined;
  const came = after.finished - before.finished;
  if (came < 0) return null;
  // Which of too many are left out is told by their age alone, so what remains is no less fair.
  return came === 0 ? [] : after.newest.slice(-Math.min(came, HEATS_MAX));
}

function grown(before: readonly number[], after: readonly number[]): readonly number[] | null {
  const counts = after.map((count, bucket) => count - (before[bucket] ?? 0));
  return before.length === after.length && counts.every((count) => count >= 0) ? counts : null;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
