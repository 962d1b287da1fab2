import type { PersonId } from './id.ts';

/** Who must agree: `from` is `group/<name>` or `role/<name>`, `count` how many distinct people of it. */
export interface Requirement {
  readonly from: string;
  readonly count: number;
}

/** A vote that may still count, with every requirement its caster could fill today. */
export interface EligibleVote {
  readonly person: PersonId;
  readonly fills: readonly number[];
}

/** How many people each requirement has and still needs. */
export interface Tally {
  readonly met: boolean;
  readonly have: readonly number[];
  readonly assigned: Readonly<Record<PersonId, number>>;
}

/**
 * Assigns each vote to at most one requirement so that as many places as possible are filled: a maximum bipartite
 * matching by augmenting paths (Kuhn 1955). A person in two groups therefore never blocks and never counts twice.
 */
export function matchQuorum(requirements: readonly Requirement[], votes: readonly EligibleVote[]): Tally {
  const places = requirements.flatMap((requirement, index) => Array.from({ length: requirement.count }, () => index));
  const holderOf: (number | undefined)[] = places.map(() => undefined);
  for (let vote = 0; vote < votes.length; vote += 1) seat({ vote, votes, places, holderOf, tried: new Set() });
  const have = requirements.map(
    (_, index) => places.filter((place, seatIndex) => place === index && holderOf[seatIndex] !== undefined).length,
  );
  const assigned: Record<PersonId, number> = {};
  holderOf.forEach((vote, seatIndex) => {
    const holder = vote === undefined ? undefined : votes[vote];
    const place = places[seatIndex];
    if (holder !== undefined && place !== undefined) assigned[holder.person] = place;
  });
  return { met: have.every((count, index) => count >= (requirements[index]?.count ?? 0)), have, assigned };
}

interface Seating {
  readonly vote: number;
  readonly votes: readonly EligibleVote[];
  readonly places: readonly number[];
  readonly holderOf: (number | undefined)[];
  readonly tried: Set<number>;
}

/** Finds a place for a vote, moving earlier votes along when they fit elsewhere; the set of tried places bounds the search. */
function seat(seating: Seating): boolean {
  const { vote, votes, places, holderOf, tried } = seating;
  for (let place = 0; place < places.length; place += 1) {
    const requirement = places[place];
    if (requirement === undefined || tried.has(place) || !votes[vote]?.fills.includes(requirement)) continue;
    tried.add(place);
    const holder = holderOf[place];
    if (holder === undefined || seat({ ...seating, vote: holder })) {
      holderOf[place] = vote;
      return true;
    }
  }
  return false;
}
