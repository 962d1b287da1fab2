import { edgeBounds } from '@proviso/domain';
import type { ArmCounts, LaneHeats } from '@proviso/targets';
import { type Heats, openHeats } from './heats.ts';
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
  /** Another share begins under the same fence. */
  readonly turn: () => void;
  /** Whoever reads takes a look, so it ends the heat under way. */
  readonly read: () => {
    canary: ArmCounts;
    stable: ArmCounts;
    heats: LaneHeats;
    turnedAway: number;
    saturated: boolean;
  };
}

/** Upper bounds of the latency histogram; a last bucket takes everything slower. */
export const latencyBoundsMs = edgeBounds.latency;

/** Per set: 8 MiB at most. A canary with more visitors than this has long been decided. */
export const UNITS_MAX = 1_500_000;

/**
 * Which units were met while one canary was compared with one stable release, whatever their shares were. On which side a
 * unit stands is drawn once; a unit that was seen failing, heard of or timed on one side and is then moved by a growing
 * share is no fresh draw, and would speak against whichever side it comes to.
 */
export interface UnitMemory {
  readonly met: Readonly<Record<Arm, UnitSet>>;
  readonly failed: UnitSet;
  readonly heard: Readonly<Record<ReportedMetric, UnitSet>>;
  saturated: boolean;
}

interface ArmTally {
  requests: number;
  units: number;
  firstBadUnits: number;
  badEvents: number;
  aborted: number;
  readonly latencyHistogram: number[];
  readonly firstLatencyHistogram: number[];
  firstUnits: number;
  readonly reported: Readonly<Record<ReportedMetric, number[]>>;
}

/** A memory without units. `unitsMax` is an argument so that a test can reach it. */
export function openUnitMemory(unitsMax: number = UNITS_MAX): UnitMemory {
  const open = (): UnitSet => openUnitSet(unitsMax);
  return {
    met: { canary: open(), stable: open() },
    failed: open(),
    heard: { score: open(), cost: open() },
    saturated: false,
  };
}

/** A counter at zero that knows the units of the counters before it. */
export function openLaneCounter(memory: UnitMemory = openUnitMemory()): LaneCounter {
  const arms = { canary: emptyTally(), stable: emptyTally() };
  const heats = openHeats();
  let turnedAway = 0;
  return {
    visit: (arm, unit) => {
      const tally = arms[arm];
      tally.requests += 1;
      const isNewHere = isNew(memory, memory.met[arm], unit);
      if (isNewHere) tally.units += 1;
      const isFirst = isNewHere && (unit === null || !memory.met[otherOf[arm]].has(unit));
      if (isFirst) tally.firstUnits += 1;
      return new CountedVisit({ tally, memory, unit, isFirst, arm, heats });
    },
    turnAway: () => {
      turnedAway += 1;
    },
    report: (arm, { metric, bucket, count, unit }) => {
      const buckets = arms[arm].reported[metric];
      if (isNew(memory, memory.heard[metric], unit)) buckets[bucket] = (buckets[bucket] ?? 0) + count;
    },
    turn: heats.turn,
    read: () => ({
      canary: countsOf(arms.canary),
      stable: countsOf(arms.stable),
      heats: heats.read(),
      turnedAway,
      saturated: memory.saturated,
    }),
  };
}

const otherOf = { canary: 'stable', stable: 'canary' } as const;

function isNew(memory: UnitMemory, set: UnitSet, unit: number | null): boolean {
  if (unit === null) return true;
  const answer = set.add(unit);
  // Not remembered means not counted: too few units are honest, counting one twice is not.
  if (answer === 'full') memory.saturated = true;
  return answer === 'new';
}

interface Counted {
  readonly tally: ArmTally;
  readonly memory: UnitMemory;
  readonly unit: number | null;
  /** True when this unit was met on neither side before. */
  readonly isFirst: boolean;
  readonly arm: Arm;
  readonly heats: Heats;
}

/** A class, since one is made for each request. */
class CountedVisit implements Visit {
  readonly #tally: ArmTally;
  readonly #memory: UnitMemory;
  readonly #unit: number | null;
  readonly #isFirst: boolean;
  readonly #arm: Arm;
  readonly #heats: Heats;
  readonly #share: number;
  #isAnswered = false;
  #isOver = false;

  constructor({ tally, memory, unit, isFirst, arm, heats }: Counted) {
    this.#tally = tally;
    this.#memory = memory;
    this.#unit = unit;
    this.#isFirst = isFirst;
    this.#arm = arm;
    this.#heats = heats;
    this.#share = heats.share();
  }

  answered(latencyMs: number): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    const found = latencyBoundsMs.findIndex((bound) => latencyMs <= bound);
    const bucket = found === -1 ? latencyBoundsMs.length : found;
    const { latencyHistogram, firstLatencyHistogram } = this.#tally;
    latencyHistogram[bucket] = (latencyHistogram[bucket] ?? 0) + 1;
    if (!this.#isFirst) return;
    firstLatencyHistogram[bucket] = (firstLatencyHistogram[bucket] ?? 0) + 1;
    this.#heats.add({ arm: this.#arm, latencyMs, share: this.#share });
  }

  bad(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tally.badEvents += 1;
    if (isNew(this.#memory, this.#memory.failed, this.#unit)) this.#tally.firstBadUnits += 1;
  }

  aborted(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tally.aborted += 1;
  }
}

function emptyTally(): ArmTally {
  return {
    requests: 0,
    units: 0,
    firstBadUnits: 0,
    badEvents: 0,
    aborted: 0,
    latencyHistogram: new Array<number>(latencyBoundsMs.length + 1).fill(0),
    firstLatencyHistogram: new Array<number>(latencyBoundsMs.length + 1).fill(0),
    firstUnits: 0,
    reported: { score: emptyReported('score'), cost: emptyReported('cost') },
  };
}

function emptyReported(metric: ReportedMetric): number[] {
  return new Array<number>(edgeBounds[metric].length + 1).fill(0);
}

function countsOf(tally: ArmTally): ArmCounts {
  const { requests, units, firstBadUnits, badEvents, aborted, latencyHistogram, firstLatencyHistogram } = tally;
  return {
    ...{ requests, units, firstBadUnits, badEvents, aborted },
    latencyHistogram: [...latencyHistogram],
    firstLatencyHistogram: [...firstLatencyHistogram],
    firstUnits: tally.firstUnits,
    reported: Object.fromEntries(reportedMetrics.map((name) => [name, [...tally.reported[name]]])),
  };
}
