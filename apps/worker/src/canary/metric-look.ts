import type { ArmSamples, Look, LookRefusalCode, MetricName, MetricPlan } from '@proviso/judge';
import {
  inBounds,
  type MetricCounters,
  type MetricReading,
  type MetricReadings,
  beginningOf,
  samplesBetween,
  usedUpOf,
} from './metric-source.ts';

/** Where the counters of each metric stood when they were last used up. */
export type UsedUp = Readonly<Partial<Record<MetricName, MetricCounters>>>;

/** What one look says of the metrics beside errors, and where the next one begins. */
export interface MetricLook {
  readonly usedUp: UsedUp;
  readonly metrics: NonNullable<Look['metrics']>;
  readonly waiting: readonly MetricName[];
  /** A metric whose source said something that makes no sense: no verdict until a good look arrives. */
  readonly fault: LookRefusalCode | null;
}

/**
 * Takes what the sources said. `since` is when the present share began to be served without a break: counters from before
 * would mix shares, so none of them is subtracted from; a look that counts from the beginning of its share (`fromBeginning`)
 * does so here too, if the source saw that. Where only visitors came who were here before (`newcomers` is
 * false), no first values can be expected, and a source without any is not silent.
 */
export function takeReadings(
  usedUp: UsedUp,
  readings: MetricReadings,
  at: ReadingTime & { readonly plans: readonly MetricPlan[] },
): MetricLook {
  let taken: MetricLook = { usedUp, metrics: {}, waiting: [], fault: null };
  for (const plan of at.plans) {
    const step = stepOf(usedUp[plan.metric], readings[plan.metric], { ...at, plan });
    taken = {
      usedUp: step.used === undefined ? taken.usedUp : { ...taken.usedUp, [plan.metric]: step.used },
      metrics: step.samples === undefined ? taken.metrics : { ...taken.metrics, [plan.metric]: step.samples },
      waiting: step.waits ? [...taken.waiting, plan.metric] : taken.waiting,
      fault: taken.fault ?? step.fault ?? null,
    };
  }
  return taken;
}

interface ReadingTime {
  readonly since: number;
  readonly newcomers: boolean;
  readonly fromBeginning?: boolean;
}

interface MetricStep {
  readonly used?: MetricCounters;
  readonly samples?: NonNullable<Look['metrics']>[MetricName];
  readonly waits?: true;
  readonly fault?: LookRefusalCode;
}

function stepOf(
  used: MetricCounters | undefined,
  reading: MetricReading | undefined,
  { plan, since, newcomers, fromBeginning = false }: ReadingTime & { readonly plan: MetricPlan },
): MetricStep {
  if (reading === undefined) return {};
  if (reading.kind === 'none') return gapOf(reading);
  const counters = inBounds(reading.counters, plan.bounds);
  if (counters === null) return {};
  const spent = usedUpOf(counters);
  const before = used ?? (fromBeginning ? beginningOf(counters) : undefined);
  if (before === undefined) return counters.at >= since ? { used: spent, waits: true } : { waits: true };
  if (used !== undefined && counters.at <= (used.youngerAt ?? used.at)) return { waits: true };
  const samples = samplesBetween(before, counters);
  // Counters that began anew: a gap, and the next difference counts from here.
  const waits = samples === null || (!newcomers && isEmpty(samples));
  return waits ? { used: spent, waits } : { used: spent, samples };
}

function isEmpty({ canary, stable }: ArmSamples): boolean {
  return [...canary, ...stable].every((count) => count === 0);
}

function gapOf({ why }: Extract<MetricReading, { kind: 'none' }>): MetricStep {
  switch (why) {
    case 'several_series':
      return { fault: 'several_series' };
    case 'not_a_number':
      return { fault: 'impossible_samples' };
    case 'absent':
    case 'stale':
    case 'unreachable':
    case 'bad_answer':
      return {};
  }
}
