import { type Decision, standing } from './decision.ts';
import { leavesOf } from './demand.ts';
import { delegatorsOf } from './delegation.ts';
import type { PersonState } from './person.ts';
import { pinnedRule } from './policy.ts';
import { type PromotionState, gateIn } from './promotion.ts';
import type { EligibleVote } from './quorum.ts';
import type { Scene } from './scene.ts';
import { separate } from './separation.ts';

/** Whose rights are looked at, and when. */
export type Electorate = Pick<Scene, 'authority' | 'people' | 'now'>;

/** The approvals that still stand, each with the requirements that it may fill by the rights of this moment. */
export function eligibleVotes(state: PromotionState, electorate: Electorate): readonly EligibleVote[] {
  return approvalsIn(state).map((decision) => ({
    person: decision.person,
    fills: fillsOf(state, decision, electorate),
  }));
}

/** The approvals that stand without a right: nothing is left that they could fill. */
export function lostVotes(state: PromotionState, electorate: Electorate): readonly Decision[] {
  return approvalsIn(state).filter((decision) => fillsOf(state, decision, electorate).length === 0);
}

/**
 * By whose right somebody votes: their own when it counts for anything here, else that of the first who gave them theirs.
 * A right that a vote rests on already is used up: one right is one vote, whoever casts it. Null: all of them are.
 */
export function rightFor(state: PromotionState, voter: PersonState, electorate: Electorate): PersonState | null {
  const requirements = leavesOf(pinnedRule(state.policy, 'approval').requirements);
  const used = new Set(standing(gateIn(state, 'approval').decisions).map(({ person, rightOf }) => rightOf ?? person));
  const able = [voter, ...delegatorsOf(voter, state, electorate)].filter((holder) =>
    requirements.some((requirement) => electorate.authority.counts(holder, requirement, state)),
  );
  if (able.length === 0) return used.has(voter.id) ? null : voter;
  return able.find((holder) => !used.has(holder.id)) ?? null;
}

function approvalsIn(state: PromotionState): readonly Decision[] {
  return standing(gateIn(state, 'approval').decisions).filter(({ verdict }) => verdict === 'approve');
}

function fillsOf(state: PromotionState, decision: Decision, electorate: Electorate): readonly number[] {
  const holder = holderOf(state, decision, electorate);
  if (holder === null) return [];
  const requirements = leavesOf(pinnedRule(state.policy, 'approval').requirements);
  return requirements.flatMap((requirement, index) =>
    electorate.authority.counts(holder, requirement, state) ? [index] : [],
  );
}

/** Who holds the right that a vote rests on; null when it is not theirs to use any more. */
function holderOf(state: PromotionState, { person, rightOf }: Decision, electorate: Electorate): PersonState | null {
  const voter = electorate.people[person];
  if (voter === undefined) return null;
  if (rightOf === undefined) return voter;
  // Nobody decides on their own work, in whoever's stead.
  if (separate(voter, state.exclusions) !== null) return null;
  return delegatorsOf(voter, state, electorate).find(({ id }) => id === rightOf) ?? null;
}
