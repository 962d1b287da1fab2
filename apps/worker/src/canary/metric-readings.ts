import type { MetricName, MetricPlan } from '@proviso/judge';
import { edgeMetrics } from './edge-metrics.ts';
import type { MetricReading, MetricReadings, MetricSource, MetricSubject } from './metric-source.ts';

/** Who is asked for the values of each metric. */
export type MetricSources = Readonly<Record<MetricName, MetricSource>>;

/** The edge counts all that is judged. */
export const usualSources: MetricSources = { latency: edgeMetrics, score: edgeMetrics, cost: edgeMetrics };

/** Asks the source of each metric of the plan, all at once. */
export async function readMetrics(
  sources: MetricSources,
  plans: readonly MetricPlan[],
  subject: Omit<MetricSubject, 'metric'>,
): Promise<MetricReadings> {
  const entries = plans.map(async ({ metric }): Promise<[MetricName, MetricReading]> => {
    return [metric, await sources[metric].read({ ...subject, metric })];
  });
  return Object.fromEntries(await Promise.all(entries));
}
