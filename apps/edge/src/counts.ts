import { edgeBounds } from '@proviso/domain';
import type { ArmCounts } from '@proviso/targets';
import { type ReportedMetric, type ReportedValue, reportedMetrics } from './reported-values.ts';
import type { Arm } from './split.ts';
import { openUnitSet, type UnitSet } from './unit-set.ts';

/** What became of one request; each method counts at most once, so a broken stream after a bad status is one bad event. */
export interface Visit {
  readonly answered: (latencyMs: number) => void;
  readonly bad: () => void;
  readonly aborted: () => void;
}

/** Counts of one lane since one fence. A request belongs to the counter it began under, also when a newer one exists. */
export interface LaneCounter {
  /** `unit` is null when every request is its own unit. */
  readonly visit: (arm: Arm, unit: number | null) => Visit;
  readonly turnAway: () => void;
  /** A value that a release reports; of a unit that is named the first one counts, without a name each. */
  readonly report: (arm: Arm, value: Omit<ReportedValue, 'unit'> & { readonly unit: number | null }) => void;
  readonly read: () => { canary: ArmCounts; stable: ArmCounts; turnedAway: number; saturated: boolean };
}

/** Upper bounds of the latency histogram; a last bucket takes everything slower. */
export const latencyBoundsMs = edgeBounds.latency;

/** Per arm and set: 8 MiB at most. A look with more visitors than this has long been decided. */
export const UNITS_MAX = 1_500_000;

interface ArmTally {
  requests: number;
  units: number;
  firstBadUnits: number;
  badEvents: number;
  aborted: number;
  saturated: boolean;
  readonly latencyHistogram: number[];
  readonly firstLatencyHistogram: number[];
  readonly seen: UnitSet;
  readonly bad: UnitSet;
  readonly reported: Readonly<Record<ReportedMetric, { readonly buckets: number[]; readonly heard: UnitSet }>>;
}

/** An empty counter. `unitsMax` is an argument so that a test can reach it. */
export function openLaneCounter(unitsMax: number = UNITS_MAX): LaneCounter {
  const arms = { canary: emptyTally(unitsMax), stable: emptyTally(unitsMax) };
  let turnedAway = 0;
  return {
    visit: (arm, unit) => {
      const tally = arms[arm];
      tally.requests += 1;
      const isFirst = isNew(tally, tally.seen, unit);
      if (isFirst) tally.units += 1;
      return new CountedVisit(tally, unit, isFirst);
    },
    turnAway: () => {
      turnedAway += 1;
    },
    report: (arm, { metric, bucket, count, unit }) => {
      const tally = arms[arm];
      const { buckets, heard } = tally.reported[metric];
      if (isNew(tally, heard, unit)) buckets[bucket] = (buckets[bucket] ?? 0) + count;
    },
    read: () => ({
      canary: countsOf(arms.canary),
      stable: countsOf(arms.stable),
      turnedAway,
      saturated: arms.canary.saturated || arms.stable.saturated,
    }),
  };
}

function isNew(tally: ArmTally, set: UnitSet, unit: number | null): boolean {
  if (unit === null) return true;
  const answer = set.add(unit);
  // Not remembered means not counted: too few units are honest, counting one twice is not.
  if (answer === 'full') tally.saturated = true;
  return answer === 'new';
}

/** A class, since one is made for each request. */
class CountedVisit implements Visit {
  readonly #tally: ArmTally;
  readonly #unit: number | null;
  readonly #isFirst: boolean;
  #isAnswered = false;
  #isOver = false;

  constructor(tally: ArmTally, unit: number | null, isFirst: boolean) {
    this.#tally = tally;
    this.#unit = unit;
    this.#isFirst = isFirst;
  }

  answered(latencyMs: number): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    const found = latencyBoundsMs.findIndex((bound) => latencyMs <= bound);
    const bucket = found === -1 ? latencyBoundsMs.length : found;
    const { latencyHistogram, firstLatencyHistogram } = this.#tally;
    latencyHistogram[bucket] = (latencyHistogram[bucket] ?? 0) + 1;
    if (this.#isFirst) firstLatencyHistogram[bucket] = (firstLatencyHistogram[bucket] ?? 0) + 1;
  }

  bad(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tally.badEvents += 1;
    if (isNew(this.#tally, this.#tally.bad, this.#unit)) this.#tally.firstBadUnits += 1;
  }

  aborted(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tally.aborted += 1;
  }
}

function emptyTally(unitsMax: number): ArmTally {
  return {
    requests: 0,
    units: 0,
    firstBadUnits: 0,
    badEvents: 0,
    aborted: 0,
    latencyHistogram: new Array<number>(latencyBoundsMs.length + 1).fill(0),
    firstLatencyHistogram: new Array<number>(latencyBoundsMs.length + 1).fill(0),
    saturated: false,
    seen: openUnitSet(unitsMax),
    bad: openUnitSet(unitsMax),
    reported: { score: emptyReported('score', unitsMax), cost: emptyReported('cost', unitsMax) },
  };
}

function emptyReported(metric: ReportedMetric, unitsMax: number): ArmTally['reported'][ReportedMetric] {
  return { buckets: new Array<number>(edgeBounds[metric].length + 1).fill(0), heard: openUnitSet(unitsMax) };
}

function countsOf(tally: ArmTally): ArmCounts {
  const { requests, units, firstBadUnits, badEvents, aborted, latencyHistogram, firstLatencyHistogram } = tally;
  return {
    ...{ requests, units, firstBadUnits, badEvents, aborted },
    latencyHistogram: [...latencyHistogram],
    firstLatencyHistogram: [...firstLatencyHistogram],
    reported: Object.fromEntries(reportedMetrics.map((name) => [name, [...tally.reported[name].buckets]])),
  };
}
