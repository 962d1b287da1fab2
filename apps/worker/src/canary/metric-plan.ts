import { type CanaryMetrics, edgeBounds, metricNames } from '@proviso/domain';
import type { MetricPlan } from '@proviso/judge';

/** What the judge is told of a policy's metrics before the first look; in one order, whatever order they were stored in. */
export function metricPlans(metrics: CanaryMetrics): readonly MetricPlan[] {
  return metricNames.flatMap((metric) => {
    const rule = metrics[metric];
    if (rule === undefined) return [];
    // Of scores ranks alone are judged: a low one is the bad one, and "more often above" would ask the wrong way round.
    // Neither are there bounds where the arms are collected one after the other: ranks do not ask how many came to each.
    const bounds = metric === 'score' || rule.from !== undefined ? [] : (rule.bounds ?? edgeBounds[metric]);
    return [{ metric, portion: rule.portion, bounds }];
  });
}
