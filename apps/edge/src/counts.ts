import type { ArmCounts } from '@proviso/targets';
import type { Arm } from './split.ts';

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
  readonly read: () => { canary: ArmCounts; stable: ArmCounts; turnedAway: number; saturated: boolean };
}

/** Upper bounds of the latency histogram; a last bucket takes everything slower. */
export const latencyBoundsMs: readonly number[] = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
];

/** Per arm and set: some 10 MB at most. A look with more visitors than this has long been decided. */
export const UNITS_MAX = 200_000;

interface ArmTally {
  requests: number;
  units: number;
  firstBadUnits: number;
  badEvents: number;
  aborted: number;
  readonly latencyHistogram: number[];
  readonly seen: Set<number>;
  readonly bad: Set<number>;
}

/** An empty counter. `unitsMax` is an argument so that a test can reach it. */
export function openLaneCounter(unitsMax: number = UNITS_MAX): LaneCounter {
  const arms = { canary: emptyTally(), stable: emptyTally() };
  let turnedAway = 0;
  let saturated = false;
  const isNew = (set: Set<number>, unit: number | null): boolean => {
    if (unit === null) return true;
    if (set.has(unit)) return false;
    if (set.size >= unitsMax) {
      // Not remembered means not counted: too few units are honest, counting one twice is not.
      saturated = true;
      return false;
    }
    set.add(unit);
    return true;
  };
  return {
    visit: (arm, unit) => {
      const tally = arms[arm];
      tally.requests += 1;
      if (isNew(tally.seen, unit)) tally.units += 1;
      return visitOf(tally, () => isNew(tally.bad, unit));
    },
    turnAway: () => {
      turnedAway += 1;
    },
    read: () => ({ canary: countsOf(arms.canary), stable: countsOf(arms.stable), turnedAway, saturated }),
  };
}

function visitOf(tally: ArmTally, isFirstBad: () => boolean): Visit {
  let answered = false;
  let over = false;
  return {
    answered: (latencyMs) => {
      if (answered) return;
      answered = true;
      const found = latencyBoundsMs.findIndex((bound) => latencyMs <= bound);
      const bucket = found === -1 ? latencyBoundsMs.length : found;
      tally.latencyHistogram[bucket] = (tally.latencyHistogram[bucket] ?? 0) + 1;
    },
    bad: () => {
      if (over) return;
      over = true;
      tally.badEvents += 1;
      if (isFirstBad()) tally.firstBadUnits += 1;
    },
    aborted: () => {
      if (over) return;
      over = true;
      tally.aborted += 1;
    },
  };
}

function emptyTally(): ArmTally {
  return {
    requests: 0,
    units: 0,
    firstBadUnits: 0,
    badEvents: 0,
    aborted: 0,
    latencyHistogram: new Array<number>(latencyBoundsMs.length + 1).fill(0),
    seen: new Set(),
    bad: new Set(),
  };
}

function countsOf(tally: ArmTally): ArmCounts {
  const { requests, units, firstBadUnits, badEvents, aborted, latencyHistogram } = tally;
  return { requests, units, firstBadUnits, badEvents, aborted, latencyHistogram: [...latencyHistogram] };
}
