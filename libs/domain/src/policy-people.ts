import { leavesOf } from './demand.ts';
import type { PersonId, PrototypeId } from './id.ts';
import type { PersonState } from './person.ts';
import { type Policy, ruleOf } from './policy.ts';
import { atTier } from './policy-tier.ts';
import { type EligibleVote, matchQuorum, missingWords } from './quorum.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Authority } from './scene.ts';
import type { Exclusion } from './separation.ts';

/** Who is there to vote, and who could not: the policy's author has no vote under it. */
export interface Electorate {
  readonly people: readonly PersonState[];
  readonly author: PersonId;
  readonly authority: Authority;
}

/** Stands for a prototype that no binding names. */
const anyPrototype = 'pro_any' satisfies PrototypeId;

/**
 * A policy that today's people could never meet would hold up whoever comes next, so it is refused when it is saved. Its
 * author has no vote, nor has whoever asks for the promotion: each builder in turn is taken for that one. Bindings to one
 * prototype count for that prototype: some prototype must be able to go live.
 */
export function unsatisfiable(policy: Policy, electorate: Electorate): Refusal | null {
  const tiers = [null, ...Object.keys(policy.tiers ?? {})];
  for (const tier of tiers) {
    const lacks = lackUnder(atTier(policy, tier), electorate);
    if (lacks === null) continue;
    const where = tier === null ? '' : `in the tier ${tier} `;
    const message = `expected enough people who may approve ${where}beside the policy's author and one builder, got too few: ${lacks} missing`;
    return refusal('policy_unsatisfiable', message, { rule: 'policy/satisfiable' });
  }
  return null;
}

/** What is missing in words for the prototype that comes nearest; null when some prototype's people are enough. */
function lackUnder(policy: Policy, { people, author, authority }: Electorate): string | null {
  const rule = ruleOf(policy, 'approval');
  if (rule === undefined) return null;
  const bound = people.flatMap(({ bindings }) => bindings.flatMap(({ prototype }) => prototype ?? []));
  const leaves = leavesOf(rule.requirements);
  let nearest: string | null = null;
  for (const prototype of new Set<PrototypeId>([anyPrototype, ...bound])) {
    const exclusions: readonly Exclusion[] = [{ person: author, why: 'policy_author' }];
    const votes = people.map((person) => ({
      person: person.id,
      fills: leaves.flatMap((leaf, index) =>
        authority.counts(person, leaf, { prototype, policy, exclusions }) ? [index] : [],
      ),
    }));
    const lacks = requestersOf(people, votes)
      .map((requester) =>
        matchQuorum(
          rule.requirements,
          votes.filter(({ person }) => person !== requester),
        ),
      )
      .find(({ met }) => !met);
    if (lacks === undefined) return null;
    nearest ??= missingWords(lacks);
  }
  return nearest;
}

/** One builder for each kind of vote that builders could give: who could fill the same places lacks alike. Null: none votes. */
function requestersOf(people: readonly PersonState[], votes: readonly EligibleVote[]): readonly (PersonId | null)[] {
  const byFills = new Map<string, PersonId>();
  for (const [index, { id, bindings }] of people.entries()) {
    const fills = votes[index]?.fills ?? [];
    if (fills.length > 0 && bindings.some(({ role }) => role === 'builder')) byFills.set(fills.join(), id);
  }
  return byFills.size === 0 ? [null] : [...byFills.values()];
}
