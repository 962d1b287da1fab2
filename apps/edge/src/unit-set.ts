/** Which units have been met: exact but for two that share their 32 bits, in a table of four bytes a place. */
export interface UnitSet {
  /** `new` when it was not there, and is now; `full` when it is not there and there is no room to remember it. */
  readonly add: (unit: number) => 'new' | 'known' | 'full';
  readonly has: (unit: number) => boolean;
}

const PLACES_MIN = 1_024;
// Above this the way to a free place grows long.
const LOAD_MAX = 0.75;

/**
 * An empty set for places in [0, 1). It grows by doubling and ends at 4 / 0.75 bytes per unit, rounded up to a power of
 * two. Of n units about n² / 2³³ are taken for another: 116 of a million, 0.012 %, always too few and never twice.
 */
export function openUnitSet(unitsMax: number): UnitSet {
  let places = new Uint32Array(PLACES_MIN);
  let count = 0;
  return {
    has: (unit) => {
      const mark = markOf(unit);
      return places[findPlace(places, mark)] === mark;
    },
    add: (unit) => {
      const mark = markOf(unit);
      let at = findPlace(places, mark);
      if (places[at] === mark) return 'known';
      if (count >= unitsMax) return 'full';
      if (count + 1 > places.length * LOAD_MAX) {
        places = grown(places);
        at = findPlace(places, mark);
      }
      places[at] = mark;
      count += 1;
      return 'new';
    },
  };
}

/** The low 32 bits of the place's 48: the high ones are what chose the arm. Never 0, which is a free place. */
function markOf(unit: number): number {
  return Math.max(1, Math.floor((unit * 2 ** 48) % 2 ** 32));
}

function findPlace(places: Uint32Array, mark: number): number {
  const mask = places.length - 1;
  let at = mark & mask;
  while (places[at] !== 0 && places[at] !== mark) at = (at + 1) & mask;
  return at;
}

function grown(places: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(places.length * 2);
  for (const mark of places) if (mark !== 0) larger[findPlace(larger, mark)] = mark;
  return larger;
}
