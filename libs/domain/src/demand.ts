/** Who must agree: `from` is `group/<name>` or `role/<name>`, `count` how many distinct people of it. */
export interface Requirement {
  readonly from: string;
  readonly count: number;
}

/** A requirement, or several that are joined: one of them, all of them, or at least so many of them. */
export type Demand =
  | Requirement
  | { readonly any: readonly Demand[] }
  | { readonly all: readonly Demand[] }
  | { readonly atLeast: number; readonly of: readonly Demand[] };

/** More places than this nobody oversees; the search for a way to meet them is bounded apart. */
export const leavesMax = 20;

/**
 * In how many ways a gate's demands may be met at most. Each way is tried with a matching of its own under the lock of the
 * promotion; a thousand of them take some milliseconds, and a policy that needs more is one that nobody understands.
 */
export const waysMax = 1_000;

/** The requirements at the ends of the demands, in the order in which they are written; votes are counted by their index. */
export function leavesOf(demands: readonly Demand[]): readonly Requirement[] {
  return demands.flatMap((demand) => ('from' in demand ? [demand] : leavesOf(partsOf(demand))));
}

/** Each way to meet all demands as indexes of leaves, none larger than it must be, in the order of the document. */
export function waysOf(demands: readonly Demand[]): readonly (readonly number[])[] {
  return waysIn({ all: demands }, 0);
}

/** How many ways there are, counted without listing them: what a document asks for may be far too many. */
export function countWays(demand: Demand): number {
  if ('from' in demand) return 1;
  const [needed, parts] = [neededOf(demand), partsOf(demand)];
  // chosen[n]: in how many ways n of the parts seen so far can be met.
  const chosen = [1, ...Array.from({ length: needed }, () => 0)];
  for (const part of parts) {
    const ways = countWays(part);
    for (let n = needed; n > 0; n -= 1) chosen[n] = (chosen[n] ?? 0) + (chosen[n - 1] ?? 0) * ways;
  }
  return chosen[needed] ?? 0;
}

/** What the shape of a document cannot say about its demands. Null: they make sense. */
export function demandProblem(demands: readonly Demand[]): string | null {
  if (demands.length === 0) return 'expected at least one requirement at the approval gate, got none';
  const excess = demands.map(excessIn).find((one) => one !== null);
  if (excess !== undefined) return excess;
  const { length } = leavesOf(demands);
  if (length > leavesMax) return `expected at most ${leavesMax} requirements in all, got ${length}`;
  const ways = countWays({ all: demands });
  return ways > waysMax ? `expected at most ${waysMax} ways to meet the requirements, got ${ways}` : null;
}

/** The demands as people say them; `say` gives the words of one requirement by its index. */
export function demandWords(
  demands: readonly Demand[],
  say: (requirement: Requirement, index: number) => string,
): string {
  return wordsIn({ all: demands }, 0, say, true);
}

function excessIn(demand: Demand): string | null {
  if ('from' in demand) return null;
  const parts = partsOf(demand);
  if (neededOf(demand) > parts.length)
    return `expected at least ${neededOf(demand)} requirements below atLeast: ${neededOf(demand)}, got ${parts.length}`;
  return parts.map(excessIn).find((one) => one !== null) ?? null;
}

type Joined = Exclude<Demand, Requirement>;

function partsOf(demand: Joined): readonly Demand[] {
  if ('any' in demand) return demand.any;
  return 'all' in demand ? demand.all : demand.of;
}

function neededOf(demand: Joined): number {
  if ('any' in demand) return 1;
  return 'all' in demand ? demand.all.length : demand.atLeast;
}

function waysIn(demand: Demand, first: number): readonly (readonly number[])[] {
  if ('from' in demand) return [[first]];
  let at = first;
  const parts = partsOf(demand).map((part) => {
    const ways = waysIn(part, at);
    at += leavesOf([part]).length;
    return ways;
  });
  return joinedWays(parts, neededOf(demand));
}

/** So many of the parts, each met in one of its ways. */
function joinedWays(
  parts: readonly (readonly (readonly number[])[])[],
  needed: number,
): readonly (readonly number[])[] {
  if (needed === 0) return [[]];
  const [part, ...rest] = parts;
  if (part === undefined || parts.length < needed) return [];
  const after = joinedWays(rest, needed - 1);
  return [...part.flatMap((way) => after.map((other) => [...way, ...other])), ...joinedWays(rest, needed)];
}

function wordsIn(
  demand: Demand,
  first: number,
  say: (requirement: Requirement, index: number) => string,
  outermost = false,
): string {
  if ('from' in demand) return say(demand, first);
  let at = first;
  const parts = partsOf(demand).map((part) => {
    const words = wordsIn(part, at, say);
    at += leavesOf([part]).length;
    return words;
  });
  if (parts.length === 1) return parts[0] ?? '';
  if ('atLeast' in demand && demand.atLeast > 1 && demand.atLeast < parts.length)
    return `at least ${demand.atLeast} of (${parts.join(', ')})`;
  const words = parts.join(neededOf(demand) === 1 ? ' or ' : ' and ');
  return outermost ? words : `(${words})`;
}
