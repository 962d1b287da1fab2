import { type Requirement, leavesOf } from './demand.ts';
import { type Decision, standing } from './decision.ts';
import type { PersonState } from './person.ts';
import { type Policy, ruleOf } from './policy.ts';
import { atTier } from './policy-tier.ts';
import { type PromotionState, findGate } from './promotion.ts';
import { type Tally, matchQuorum } from './quorum.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Authority } from './scene.ts';
import { separate } from './separation.ts';

/** What a person's approval would do under a draft: the rule that says no, or the requirements it could fill. */
export type TriedVote =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | {
      readonly kind: 'counts';
      readonly fills: readonly Requirement[];
      /** Where the gate would stand with this approval and those that are recorded. */
      readonly tally: Tally;
    };

/** Could this person approve this promotion if the draft were its policy? Their rights of today, then separation, last. */
export function tryVote(
  draft: Policy,
  { person, promotion, authority }: { person: PersonState; promotion: PromotionState; authority: Authority },
): TriedVote {
  const policy = atTier(draft, promotion.tier ?? null);
  const rule = ruleOf(policy, 'approval');
  if (rule === undefined)
    return refused(
      refusal('gate_closed', 'expected an approval gate in the policy, got none', { rule: 'policy/gates' }),
    );
  const leaves = leavesOf(rule.requirements);
  const counting = (exclusions: PromotionState['exclusions']) =>
    leaves.filter((leaf) => authority.counts(person, leaf, { prototype: promotion.prototype, policy, exclusions }));
  if (counting([]).length === 0 && person.kind === 'human' && !person.disabled) {
    const whoCan = [...new Set(leaves.map(({ from }) => from))];
    return refused(
      refusal('not_permitted', `expected somebody of ${whoCan.join(', ')}`, { rule: 'requirement', whoCan }),
    );
  }
  const separated = separate(person, promotion.exclusions);
  if (separated !== null) return refused(separated);
  const votes = [
    ...approvalsOf(promotion)
      .filter((decision) => decision.person !== person.id)
      .map(voterOf),
    person,
  ];
  return {
    kind: 'counts',
    fills: counting(promotion.exclusions),
    tally: tallyAmong(votes, { policy, promotion, authority }),
  };
}

/** Where the approval gate would stand with these people's approvals, by the rights that are handed in with them. */
export function tallyAmong(
  voters: readonly PersonState[],
  { policy, promotion, authority }: { policy: Policy; promotion: PromotionState; authority: Authority },
): Tally {
  const demands = ruleOf(policy, 'approval')?.requirements ?? [];
  const { prototype, exclusions } = promotion;
  const votes = voters.map((voter) => ({
    person: voter.id,
    fills: leavesOf(demands).flatMap((leaf, index) =>
      authority.counts(voter, leaf, { prototype, exclusions, policy }) ? [index] : [],
    ),
  }));
  return matchQuorum(demands, votes);
}

/** The approvals of the attempt that stands. */
export function approvalsOf(promotion: PromotionState): readonly Decision[] {
  return standing(findGate(promotion, 'approval')?.decisions ?? []).filter(({ verdict }) => verdict === 'approve');
}

/** A voter as they were when they voted: only humans get as far as a decision. */
export function voterOf({ person, bindingsAt }: Decision): PersonState {
  return { id: person, kind: 'human', disabled: false, bindings: bindingsAt, tokens: [] };
}

function refused(why: Refusal): TriedVote {
  return { kind: 'refused', refusal: why };
}
