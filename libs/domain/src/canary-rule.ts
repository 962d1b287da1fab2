import type { Channel } from './door.ts';
import { readMetricQuery } from './metric-query.ts';
import type { PolicyProblem } from './policy.ts';

/** What a canary may be judged by beside errors. */
export const metricNames = ['latency', 'score', 'cost'] as const;
/** One of them. */
export type CanaryMetric = (typeof metricNames)[number];

/**
 * Upper bounds of the buckets in which an edge counts: milliseconds, scores from 0 to 1, and money in whatever currency
 * a prototype reports. A last bucket takes what is above.
 */
export const edgeBounds: Readonly<Record<CanaryMetric, readonly number[]>> = {
  latency: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000],
  score: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 0.999, 1],
  cost: [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
};

/** How one metric is judged. */
export interface MetricRule {
  /** The part of the canary's starting capital that is put on it; errors have the rest. */
  readonly portion: number;
  /** Above which values "more often above" is judged too, beside ranks; all bounds of the source when absent. */
  readonly bounds?: readonly number[];
  /** Who has its values, by the name that an operator gave it; the edge when absent. A policy never holds an address. */
  readonly from?: string;
  /** What that source is asked, once for each arm. */
  readonly query?: string;
}

/** What is judged beside errors. */
export type CanaryMetrics = Readonly<Partial<Record<CanaryMetric, MetricRule>>>;

/** Where a ramp may wait until the canary is proven, from the least share of users to the largest. */
export const rampHolds = ['careful', 'usual', 'fast'] as const;

/** What weights are planned from. */
export interface RampRule {
  readonly budget: {
    /** Bad answers that users may get at the first share, until it is found and everybody is back. */
    readonly badRequests: number;
    readonly requestsPerSecond: number;
    /** Share of the canary's answers to reckon with as bad; 1 is an outage. */
    readonly badShare: number;
  };
  readonly hold: (typeof rampHolds)[number];
}

/** How a canary ramps and when its judge may conclude; formulas and defaults come from the design of the canary. */
export interface CanaryRule {
  /** Percent steps, growing; after the last the release settles once it is proven safe. */
  readonly weights: readonly number[];
  /** What the weights were planned from when the policy was read; absent when they were written. */
  readonly ramp?: RampRule;
  /** Absent: errors alone, which is what every policy from before has meant. */
  readonly metrics?: CanaryMetrics;
  /** The ways in by which a person may bring it to its next share early; absent: every one that has this at all. */
  readonly channels?: readonly Channel[];
  readonly lookMs: number;
  readonly dwellMs: number;
  readonly deadlineMs: number;
  readonly alpha: number;
  readonly beta: number;
  readonly rateRatioMax: number;
}

/** The part of the capital that is left to errors. */
export function errorsPortion(metrics: CanaryMetrics | undefined): number {
  return metricNames.reduce((rest, name) => rest - (metrics?.[name]?.portion ?? 0), 1);
}

/** What the shape of a canary gate cannot say. */
export function canaryProblem({ weights, metrics }: CanaryRule): PolicyProblem | null {
  if (!weights.every((weight, index) => weight > (weights[index - 1] ?? 0) && weight <= 100))
    return { path: ['weights'], message: 'expected canary weights to grow from above 0 to at most 100' };
  if (!(errorsPortion(metrics) > leastPortion)) {
    const sum = Number((1 - errorsPortion(metrics)).toPrecision(6));
    return { path: ['metrics'], message: `expected portions that leave a part to errors (a sum below 1), got ${sum}` };
  }
  for (const name of metricNames) {
    const problem = metricProblem(name, metrics?.[name] ?? { portion: 0 });
    if (problem !== null) return { path: ['metrics', name, problem.field], message: problem.message };
  }
  return null;
}

interface MetricProblem {
  readonly field: keyof MetricRule;
  readonly message: string;
}

function metricProblem(name: CanaryMetric, rule: MetricRule): MetricProblem | null {
  if (rule.from !== undefined || rule.query !== undefined) return sourceProblem(rule);
  const message = boundsProblem(name, rule.bounds ?? []);
  return message === null ? null : { field: 'bounds', message };
}

/** Two processes are scraped at two moments, so how many of a look's slow answers are the canary's is not known. */
const noBounds = 'expected no bounds for values from elsewhere, which are compared by their ranks alone';

function sourceProblem({ from, query, bounds }: MetricRule): MetricProblem | null {
  if (from === undefined)
    return { field: 'query', message: 'expected from beside it, such as prometheus/main, got none' };
  if (query === undefined) return { field: 'from', message: 'expected a query beside it, got none' };
  if (bounds !== undefined) return { field: 'bounds', message: noBounds };
  const read = readMetricQuery(query);
  return read.ok ? null : { field: 'query', message: `column ${read.column}: ${read.message}` };
}

/** Less than this is what sums of decimal fractions leave over. */
const leastPortion = 1e-9;

/** The edge counts in buckets of its own, and two of them cannot be told apart later. */
function boundsProblem(name: CanaryMetric, bounds: readonly number[]): string | null {
  const rising = bounds.every((bound, index) => bound > (bounds[index - 1] ?? Number.NEGATIVE_INFINITY));
  if (!rising) return `expected bounds that rise, got ${bounds.join(', ')}`;
  const foreign = bounds.find((bound) => !edgeBounds[name].includes(bound));
  return foreign === undefined ? null : `expected bounds among ${edgeBounds[name].join(', ')}, got ${foreign}`;
}
