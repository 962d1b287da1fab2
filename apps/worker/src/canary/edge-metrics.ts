import type { MetricReading, MetricSource, MetricSubject } from './metric-source.ts';

/**
 * The edge as a source: how long each unit's first answer took, as counted with the very look that is judged. An edge of
 * a version before does not count that, and is a source without values.
 */
export const edgeMetrics: MetricSource = { read: async (subject) => await Promise.resolve(readingOf(subject)) };

function readingOf({ metric, counts, now }: MetricSubject): MetricReading {
  const { canary, stable, boot, fence, latencyBoundsMs: bounds } = counts;
  const [ours, theirs] = [canary.firstLatencyHistogram, stable.firstLatencyHistogram];
  if (metric !== 'latency' || ours === undefined || theirs === undefined) return { kind: 'none', why: 'absent' };
  // Counters begin anew at each fence, whatever the share is.
  const life = `${boot}/${fence.incarnation}.${fence.counter}`;
  return { kind: 'counted', counters: { life, at: now, bounds, canary: ours, stable: theirs } };
}
