import type { CountsThen, LaneCounts, LaneHeats } from '@proviso/targets';
import type { MetricCounters, MetricReading, MetricSource, MetricSubject } from './metric-source.ts';

/**
 * The edge as a source: how long each unit's first answer took, and what releases report of theirs, as counted with the
 * very look that is judged. An edge of a version before does not count that, and is a source without values.
 */
export const edgeMetrics: MetricSource = { read: async (subject) => await Promise.resolve(readingOf(subject)) };

function readingOf({ metric, counts, now }: MetricSubject): MetricReading {
  const { boot, fence } = counts;
  const counted = metric === 'latency' ? latencyOf(counts) : reportedOf(counts, metric);
  if (counted === null) return { kind: 'none', why: 'absent' };
  // Counters begin anew at each fence, whatever the share is.
  const life = `${boot}/${fence.incarnation}.${fence.counter}`;
  return { kind: 'counted', counters: { life, at: now, ...counted } };
}

type Buckets = Pick<MetricCounters, 'bounds' | 'canary' | 'stable' | 'heats' | 'began'>;

function latencyOf({ canary, stable, latencyBoundsMs: bounds, heats, began }: LaneCounts): Buckets | null {
  const now = firstValues({ canary, stable }, heats);
  if (now === null) return null;
  const finished = began?.heatsFinished;
  const then = began && firstValues(began, finished === undefined ? undefined : { finished, newest: [] });
  return { bounds, ...now, ...(then && { began: then }) };
}

function firstValues(
  { canary, stable }: Pick<CountsThen, 'canary' | 'stable'>,
  heats: LaneHeats | undefined,
): Pick<MetricCounters, 'canary' | 'stable' | 'heats'> | null {
  const [ours, theirs] = [canary.firstLatencyHistogram, stable.firstLatencyHistogram];
  if (ours === undefined || theirs === undefined) return null;
  return { canary: ours, stable: theirs, ...(heats !== undefined && { heats }) };
}

function reportedOf({ canary, stable, reportedBounds }: LaneCounts, metric: 'score' | 'cost'): Buckets | null {
  const [ours, theirs, bounds] = [canary.reported?.[metric], stable.reported?.[metric], reportedBounds?.[metric]];
  return ours === undefined || theirs === undefined || bounds === undefined
    ? null
    : { bounds, canary: ours, stable: theirs };
}
