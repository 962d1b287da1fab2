import { readFile } from 'node:fs/promises';
import { judge, type JudgeState, observe, startJudge } from '@proviso/judge';
import { InputFault } from '../../tools/named-run.ts';

/** The columns of expected values, in the order in which they are told. */
const columns = ['logE1', 'logE3', 'logJ', 'logSafe'] as const;

/** Largest absolute difference of a column over a file, and how many values it was taken over. */
export interface ColumnDifference {
  readonly column: (typeof columns)[number];
  readonly difference: number;
  readonly values: number;
}

/** One look of a file: counts, and what an independent implementation says after it. Null: it had overflowed there. */
type VectorLook = Readonly<Record<(typeof counts)[number], number> & Record<(typeof columns)[number], number | null>>;

const counts = [
  'canaryWeight',
  'canaryFirstBadUnits',
  'stableFirstBadUnits',
  'canaryBadEvents',
  'stableBadEvents',
] as const;

/** Plays every sequence of a file in the form of `judge-vectors.json` and compares each value with ours. */
export async function compareVectors(path: string): Promise<readonly ColumnDifference[]> {
  const sequences = await readVectors(path);
  const largest = new Map(columns.map((column) => [column, { difference: 0, values: 0 }]));
  for (const looks of sequences) {
    let state = startJudge({
      ...{ objective: 0.02, firstRelease: false, sticky: false, rateRatioTolerated: 1, rateRatioMax: 2 },
    });
    for (const [index, vector] of looks.entries()) {
      state = observe(state, lookOf(vector));
      if (state.lastLook !== 'counted') {
        throw new InputFault(`${path}: look ${index + 1}: expected a look that can be counted, got ${state.lastLook}`);
      }
      for (const [column, ours] of Object.entries(saidOf(state)) as [(typeof columns)[number], number][]) {
        const theirs = expectedOf(vector, column);
        const seen = largest.get(column);
        if (theirs === null || seen === undefined) continue;
        largest.set(column, {
          difference: Math.max(seen.difference, Math.abs(ours - theirs)),
          values: seen.values + 1,
        });
      }
    }
  }
  return columns.map((column) => ({ column, ...(largest.get(column) ?? { difference: Number.NaN, values: 0 }) }));
}

function saidOf(state: JudgeState): Record<(typeof columns)[number], number> {
  const rules = { alpha: 0.01, beta: 0.05, dwellMet: true, deadlineReached: false, sampleStale: false };
  const { labels, shares, errors, safety } = judge(state, rules).explanation.logEvidence;
  return { logE1: labels, logE3: shares, logJ: errors, logSafe: safety };
}

/** Where J overflowed there, it follows from its halves: J = ½·E1 + ½·E3. */
function expectedOf(vector: VectorLook, column: (typeof columns)[number]): number | null {
  const { logE1, logE3 } = vector;
  if (column !== 'logJ' || vector.logJ !== null || logE1 === null || logE3 === null) return vector[column];
  const larger = Math.max(logE1, logE3);
  return larger + Math.log((Math.exp(logE1 - larger) + Math.exp(logE3 - larger)) / 2);
}

/** The files say nothing of good units: enough of them in both arms that neither is taken for silent. */
function lookOf(vector: VectorLook) {
  const { canaryWeight, canaryFirstBadUnits, stableFirstBadUnits, canaryBadEvents, stableBadEvents } = vector;
  const units = 1_000_000_000;
  return {
    canaryWeight,
    ...{ canaryUnits: units, stableUnits: units, canaryRequests: units, stableRequests: units },
    ...{ canaryFirstBadUnits, stableFirstBadUnits, canaryBadEvents, stableBadEvents },
  };
}

async function readVectors(path: string): Promise<readonly (readonly VectorLook[])[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new InputFault(`${path}: expected a file that can be read, got ${codeOf(error)}`);
  });
  const { sequences } = jsonOf(path, text) as { readonly sequences?: unknown };
  if (!Array.isArray(sequences) || sequences.length === 0)
    throw new InputFault(`${path}: expected sequences, got none`);
  return sequences.map((sequence: unknown, at) => {
    const looks: unknown = isRecord(sequence) ? sequence['looks'] : undefined;
    if (!Array.isArray(looks) || looks.length === 0) {
      throw new InputFault(`${path}: sequence ${at + 1}: expected looks, got none`);
    }
    return looks.map((look: unknown, index) => vectorOf(`${path}: sequence ${at + 1}, look ${index + 1}`, look));
  });
}

function jsonOf(path: string, text: string): object {
  try {
    const document: unknown = JSON.parse(text);
    if (isRecord(document)) return document;
  } catch {
    // Said below, with the path and without a piece of the file.
  }
  throw new InputFault(`${path}: expected a JSON object, got something else`);
}

function vectorOf(place: string, look: unknown): VectorLook {
  if (!isRecord(look)) throw new InputFault(`${place}: expected an object, got ${typeof look}`);
  for (const name of counts) {
    if (typeof look[name] !== 'number')
      throw new InputFault(`${place}: expected ${name} as a number, got ${typeof look[name]}`);
  }
  for (const name of columns) {
    if (look[name] !== null && typeof look[name] !== 'number') {
      throw new InputFault(`${place}: expected ${name} as a number or null, got ${typeof look[name]}`);
    }
  }
  return look as VectorLook;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'an error';
}
