import { type Demand, type Requirement, leavesOf, waysOf } from './demand.ts';
import type { PersonId } from './id.ts';

/** A vote that may still count, with every requirement its caster could fill today, by the index of its leaf. */
export interface EligibleVote {
  readonly person: PersonId;
  readonly fills: readonly number[];
}

/** Where a gate's demands stand: each requirement by its index among the leaves. */
export interface Tally {
  readonly met: boolean;
  readonly have: readonly number[];
  readonly assigned: Readonly<Record<PersonId, number>>;
  /** What is still missing, by each of the ways that are nearest; empty when the demands are met. */
  readonly missing: readonly (readonly Requirement[])[];
}

/** A sentence with more alternatives than this is not read. */
const nearestMax = 3;

/**
 * Gives each vote at most one place, so that a person in two groups never blocks and never counts twice. For each way to
 * meet the demands (a policy has at most `waysMax`) the votes are seated in its places alone: a maximum bipartite matching
 * by augmenting paths (Kuhn 1955). The demands are met when some way has no empty place.
 */
export function matchQuorum(demands: readonly Demand[], votes: readonly EligibleVote[]): Tally {
  const leaves = leavesOf(demands);
  let [seats, lacks]: [Seats, (readonly Requirement[])[]] = [new Map(), []];
  let fewest = Number.POSITIVE_INFINITY;
  for (const way of waysOf(demands)) {
    const tried = seated({ leaves, votes, open: new Set(way) });
    const lack = way.flatMap((leaf) => lackAt(leaves, tried, leaf));
    const count = lack.reduce((sum, one) => sum + one.count, 0);
    if (count < fewest) [seats, lacks, fewest] = [tried, [], count];
    if (count === fewest) lacks.push(lack);
    if (count === 0) break;
  }
  const met = fewest === 0;
  return { ...shownOf({ leaves, votes, seats }), met, missing: met ? [] : distinct(lacks) };
}

/** What is missing as people say it; empty when nothing is. */
export function missingWords({ missing }: Pick<Tally, 'missing'>): string {
  return missing.map((way) => way.map(({ from, count }) => `${count} more of ${from}`).join(' and ')).join(', or ');
}

/** Who sits where: the votes by the index of the leaf they fill. */
type Seats = Map<number, number[]>;

interface Seating {
  readonly leaves: readonly Requirement[];
  readonly votes: readonly EligibleVote[];
  /** The leaves that have places. */
  readonly open: ReadonlySet<number>;
}

function seated(seating: Seating, seats: Seats = new Map()): Seats {
  const sitting = new Set([...seats.values()].flat());
  for (let vote = 0; vote < seating.votes.length; vote += 1)
    if (!sitting.has(vote)) seat(seating, seats, vote, new Set());
  return seats;
}

/** Finds a place for a vote, moving others along when they fit elsewhere; a place once filled stays filled. */
function seat(seating: Seating, seats: Seats, vote: number, tried: Set<number>): boolean {
  for (const leaf of seating.votes[vote]?.fills ?? []) {
    if (tried.has(leaf) || !seating.open.has(leaf)) continue;
    tried.add(leaf);
    const holders = seats.get(leaf) ?? [];
    if (holders.length < (seating.leaves[leaf]?.count ?? 0)) {
      seats.set(leaf, [...holders, vote]);
      return true;
    }
    const moved = holders.findIndex((holder) => seat(seating, seats, holder, tried));
    if (moved !== -1) {
      seats.set(leaf, holders.with(moved, vote));
      return true;
    }
  }
  return false;
}

function lackAt(leaves: readonly Requirement[], seats: Seats, leaf: number): readonly Requirement[] {
  const { from = '', count = 0 } = leaves[leaf] ?? {};
  const lack = count - (seats.get(leaf)?.length ?? 0);
  return lack > 0 ? [{ from, count: lack }] : [];
}

/** Votes that are in no place of the chosen way are shown where they would count in another. */
function shownOf({
  leaves,
  votes,
  seats,
}: Omit<Seating, 'open'> & { readonly seats: Seats }): Pick<Tally, 'have' | 'assigned'> {
  const all = seated({ leaves, votes, open: new Set(leaves.keys()) }, new Map(seats));
  const assigned: Record<PersonId, number> = {};
  for (const [leaf, holders] of all)
    for (const holder of holders) {
      const person = votes[holder]?.person;
      if (person !== undefined) assigned[person] = leaf;
    }
  return { have: leaves.map((_, leaf) => all.get(leaf)?.length ?? 0), assigned };
}

function distinct(lacks: readonly (readonly Requirement[])[]): readonly (readonly Requirement[])[] {
  const byWords = new Map(lacks.map((lack) => [JSON.stringify(lack), lack]));
  return [...byWords.values()].slice(0, nearestMax);
}
