import type { Heat, LaneHeats } from '@proviso/targets';
import type { Arm } from './split.ts';

/**
 * First values in a whole heat. The judge's stakes end below its capital, so one comparison can only grow it so much,
 * however many values are in it: many small ones find a small slowness sooner than one large one. With fewer than these
 * a share of a tenth would often have no value in a heat.
 */
export const HEAT_VALUES = 20;

/** Kept for a reader who comes late: a look of ten seconds at a thousand visitors each; what is older is left out. */
export const HEATS_KEPT = 512;

/** The heats of one lane under one fence. */
export interface Heats {
  /** What a value must name that is added later: a value that began under another share is no fair draw under this one. */
  readonly share: () => number;
  readonly add: (value: { readonly arm: Arm; readonly latencyMs: number; readonly share: number }) => void;
  /** Another share begins. */
  readonly turn: () => void;
  /** Ends the heat under way and tells all: whoever looks knows half of it, and the other half would be no fair bet. */
  readonly read: () => LaneHeats;
}

/**
 * Compares first values with their neighbours in time, whichever arm gave them. A heat ends after so many values of both
 * arms together: were it to end with a value of one of them, its last value would be that arm's, and no fair draw.
 */
export function openHeats(): Heats {
  const newest: Heat[] = [];
  let [finished, share] = [0, 0];
  let underWay = { canary: [] as number[], stable: [] as number[] };
  const end = (): void => {
    const { canary, stable } = underWay;
    if (canary.length + stable.length === 0) return;
    newest.push(heatOf(canary, stable));
    if (newest.length > HEATS_KEPT) newest.shift();
    finished += 1;
    underWay = { canary: [], stable: [] };
  };
  return {
    share: () => share,
    add: ({ arm, latencyMs, share: begunUnder }) => {
      if (begunUnder !== share) return;
      underWay[arm].push(latencyMs);
      if (underWay.canary.length + underWay.stable.length >= HEAT_VALUES) end();
    },
    turn: () => {
      end();
      share += 1;
    },
    read: () => {
      end();
      return { finished, newest: [...newest] };
    },
  };
}

/** Pair by pair: at most a hundred of them, once in twenty answers. */
function heatOf(canary: readonly number[], stable: readonly number[]): Heat {
  let twiceAbove = 0;
  for (const ours of canary) {
    for (const theirs of stable)
      if (ours > theirs) twiceAbove += 2;
      else if (ours === theirs) twiceAbove += 1;
  }
  return [canary.length, stable.length, twiceAbove];
}
