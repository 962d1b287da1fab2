import {
  type CanaryMetric,
  type CanaryRule,
  invariant,
  metricNames,
  type MetricRule,
  readMetricQuery,
} from '@proviso/domain';
import type { MetricQuery } from '@proviso/domain';
import {
  type Prometheus,
  promqlOf,
  type QuerySubject,
  type Reading,
  type UnreadReason,
  unreadWords,
} from '@proviso/prometheus';
import { readJournal } from '../clerk.ts';
import type { Errand } from '../errand.ts';
import { type MetricSources, usualSources } from './metric-readings.ts';
import type { MetricGap, MetricReading, MetricSource, MetricSubject } from './metric-source.ts';

/** Counters are dated by the clock of Prometheus, and the change of a share by ours: so far they must agree. */
const clocksApartMsMax = 10_000;

/** What is known of a canary before its first look, as a query may name it. */
interface Named {
  readonly prototype: string;
  readonly canaryVersion: string;
  readonly stableVersion: string;
}

/** Who is asked for each metric, as the pinned policy says: the edge, or what the operator knows under a name. */
export async function metricSources(errand: Errand, { metrics = {} }: CanaryRule): Promise<MetricSources> {
  const elsewhere = metricNames.filter((name) => metrics[name]?.from !== undefined);
  if (elsewhere.length === 0) return usualSources;
  const { ports, state, view, subject } = errand;
  const found = await readJournal(ports, subject, async (reads) => await reads.prototype(state.prototype));
  const named: Named = {
    prototype: found?.state.name ?? '',
    canaryVersion: state.candidate.version,
    stableVersion: view.production?.state.stable?.version ?? '',
  };
  const asked = elsewhere.map((name): [CanaryMetric, MetricSource] => {
    const rule = metrics[name];
    invariant(rule !== undefined, 'expected the rule of a metric that is named');
    return [name, sourceOf(rule, ports.prometheus, named)];
  });
  return { ...usualSources, ...Object.fromEntries(asked) };
}

function sourceOf(rule: MetricRule, known: ReadonlyMap<string, Prometheus>, named: Named): MetricSource {
  const { from = '', query: written = '' } = rule;
  const query = readMetricQuery(written);
  invariant(query.ok, 'expected the query of a published policy to be read');
  const prometheus = known.get(from.slice(from.indexOf('/') + 1));
  if (prometheus === undefined) {
    const reading = none('unreachable', `${from} is no source that the operator of this deployment has named`);
    return { read: async () => await Promise.resolve(reading) };
  }
  return { read: async (subject) => await readArms({ from, prometheus, query: query.query, named }, subject) };
}

interface Asked {
  readonly from: string;
  readonly prometheus: Prometheus;
  readonly query: MetricQuery;
  readonly named: Named;
}

async function readArms({ from, prometheus, query, named }: Asked, subject: MetricSubject): Promise<MetricReading> {
  const { prototype, canaryVersion, stableVersion } = named;
  const { lane, canary, stable, now } = subject;
  const ours: QuerySubject = { prototype, lane, release: canary, version: canaryVersion, arm: 'canary' };
  const theirs: QuerySubject = { prototype, lane, release: stable, version: stableVersion, arm: 'stable' };
  if (promqlOf(query, ours) === promqlOf(query, theirs))
    return none('bad_answer', `${from} is asked for the same series of both versions, since they have one name`);
  const [one, other] = await Promise.all([prometheus.ask(query, ours), prometheus.ask(query, theirs)]);
  if (one.kind === 'unread') return unreadOf(one.why, `${from}, asked for the new version`);
  if (other.kind === 'unread') return unreadOf(other.why, `${from}, asked for the version before`);
  if (String(one.bounds) !== String(other.bounds))
    return none('bad_answer', `${from} has other buckets of the new version than of the one before`);
  if (Math.abs(one.askedAtMs - now) > clocksApartMsMax)
    return none('bad_answer', `the clock of ${from} and ours are more than ${clocksApartMsMax / 1_000} s apart`);
  return countedOf({ one, other }, `${from}/${canary}/${stable}`);
}

type ReadArm = Extract<Reading, { kind: 'read' }>;

/** A counter that goes back is seen by whoever subtracts; a life is no more than what was asked for. */
function countedOf({ one, other }: { readonly one: ReadArm; readonly other: ReadArm }, life: string): MetricReading {
  const [older, younger] = [one.scrapedAtMs, other.scrapedAtMs].toSorted((a, b) => a - b);
  const { bounds, counts: canary } = one;
  const at = older ?? 0;
  return { kind: 'counted', counters: { life, at, youngerAt: younger ?? at, bounds, canary, stable: other.counts } };
}

const gapOf: Readonly<Record<UnreadReason, MetricGap>> = {
  away: 'unreachable',
  token_unreadable: 'unreachable',
  not_let_in: 'unreachable',
  redirected: 'unreachable',
  address_refused: 'unreachable',
  too_large: 'bad_answer',
  not_understood: 'bad_answer',
  query_refused: 'bad_answer',
  warned: 'bad_answer',
  empty: 'absent',
  several_series: 'several_series',
  native_histogram: 'bad_answer',
  not_a_number: 'not_a_number',
  not_a_count: 'not_a_number',
  not_a_histogram: 'bad_answer',
  stale: 'stale',
};

function unreadOf(why: UnreadReason, who: string): MetricReading {
  return none(gapOf[why], `${who}: ${unreadWords[why]}`);
}

function none(why: MetricGap, words: string): MetricReading {
  return { kind: 'none', why, words };
}
