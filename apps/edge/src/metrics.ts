import type { ArmCounts, LaneCounts } from '@proviso/targets';

/** What one lane shows to Prometheus. */
export interface LaneMetrics {
  readonly counts: LaneCounts;
  readonly leaseRemainingMs: number;
  readonly releasesReady: number;
}

/** The media type of the text below. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus text. Counters begin anew at each fence, which Prometheus takes for a restart. */
export function metricsOf(lanes: readonly LaneMetrics[]): string {
  const perArm = (read: (arm: ArmCounts) => number): readonly Sample[] =>
    lanes.flatMap(({ counts }) =>
      armsOf(counts).map(([arm, tally]) => ({ labels: { lane: counts.lane, arm }, value: read(tally) })),
    );
  const perLane = (read: (lane: LaneMetrics) => number): readonly Sample[] =>
    lanes.map((lane) => ({ labels: { lane: lane.counts.lane }, value: read(lane) }));
  return [
    family(
      'requests_total',
      'counter',
      perArm((arm) => arm.requests),
    ),
    family(
      'bad_events_total',
      'counter',
      perArm((arm) => arm.badEvents),
    ),
    family(
      'units_total',
      'counter',
      perArm((arm) => arm.units),
    ),
    family(
      'first_bad_units_total',
      'counter',
      perArm((arm) => arm.firstBadUnits),
    ),
    family(
      'aborted_total',
      'counter',
      perArm((arm) => arm.aborted),
    ),
    family(
      'turned_away_total',
      'counter',
      perLane((lane) => lane.counts.turnedAway),
    ),
    family(
      'canary_weight',
      'gauge',
      perLane((lane) => lane.counts.weightPercent / 100),
    ),
    family(
      'lease_seconds',
      'gauge',
      perLane((lane) => lane.leaseRemainingMs / 1_000),
    ),
    family(
      'parked',
      'gauge',
      perLane((lane) => Number(lane.counts.parked)),
    ),
    family(
      'releases_ready',
      'gauge',
      perLane((lane) => lane.releasesReady),
    ),
    latencyFamily(lanes),
  ].join('');
}

interface Sample {
  readonly suffix?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function family(name: string, kind: string, samples: readonly Sample[]): string {
  const lines = samples.map(
    ({ suffix = '', labels, value }) => `proviso_edge_${name}${suffix}{${labelsOf(labels)}} ${value}\n`,
  );
  return `# TYPE proviso_edge_${name} ${kind}\n${lines.join('')}`;
}

// No sum is kept, since a histogram's quantiles are what is looked at.
function latencyFamily(lanes: readonly LaneMetrics[]): string {
  const samples = lanes.flatMap(({ counts }) =>
    armsOf(counts).flatMap(([arm, tally]) => {
      let below = 0;
      const buckets = tally.latencyHistogram.map((count, index) => {
        below += count;
        const bound = counts.latencyBoundsMs[index];
        const le = bound === undefined ? '+Inf' : String(bound / 1_000);
        return { suffix: '_bucket', labels: { lane: counts.lane, arm, le }, value: below };
      });
      return [...buckets, { suffix: '_count', labels: { lane: counts.lane, arm }, value: below }];
    }),
  );
  return family('latency_seconds', 'histogram', samples);
}

function armsOf(counts: LaneCounts): readonly (readonly [string, ArmCounts])[] {
  return [
    ['canary', counts.canary],
    ['stable', counts.stable],
  ];
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join(',');
}

/** A label's value comes from outside; unescaped it could add samples of its own. */
export function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', '');
}
