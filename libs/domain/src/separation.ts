import type { PersonId } from './id.ts';
import type { PersonState } from './person.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { ExternalEvidence } from './workload.ts';

/** Why somebody may not decide on a promotion. */
export const exclusionReasons = ['requester', 'author', 'pusher', 'uploader', 'policy_author', 'lender'] as const;
/** One of them. */
export type ExclusionReason = (typeof exclusionReasons)[number];

/** One person kept from deciding, recorded when the promotion opens, so that later edits cannot rewrite it. */
export interface Exclusion {
  readonly person: PersonId;
  readonly why: ExclusionReason;
}

/** The actors behind a promotion, before bots are resolved to the humans they act for. */
export interface Involved {
  readonly requester: PersonId;
  readonly owner: PersonId;
  readonly authors: readonly PersonId[];
  /** Who pushed the commit, as far as their account is known here: what somebody else wrote is theirs by that. */
  readonly pushers: readonly PersonId[];
  /** Who has started the run of a pipeline that asked for the promotion. */
  readonly starters: readonly PersonId[];
  readonly uploader: PersonId;
  /** Who brought evidence for the candidate from outside. */
  readonly bringers: readonly PersonId[];
  readonly policyAuthor: PersonId;
  /** Whoever issued a token that one of them acted with: what was done with it, they could have done. */
  readonly lenders: readonly PersonId[];
}

/**
 * Everyone excluded, agents resolved to their humans: nobody approves their own work through a bot. An owner who built
 * it is among them as whoever they were in building; one who only answers for it may decide.
 */
export function exclusionsOf(involved: Involved, people: Readonly<Record<string, PersonState>>): readonly Exclusion[] {
  const named: Exclusion[] = [
    { person: involved.requester, why: 'requester' },
    ...involved.starters.map((person): Exclusion => ({ person, why: 'requester' })),
    { person: involved.uploader, why: 'uploader' },
    ...involved.bringers.map((person): Exclusion => ({ person, why: 'uploader' })),
    ...involved.authors.map((person): Exclusion => ({ person, why: 'author' })),
    ...involved.pushers.map((person): Exclusion => ({ person, why: 'pusher' })),
    { person: involved.policyAuthor, why: 'policy_author' },
    ...involved.lenders.map((person): Exclusion => ({ person, why: 'lender' })),
  ];
  const resolved = named.flatMap((exclusion) => {
    const human = people[exclusion.person]?.actsFor;
    return human === undefined ? [exclusion] : [exclusion, { person: human, why: exclusion.why }];
  });
  return resolved.filter((one, index) => resolved.findIndex((other) => other.person === one.person) === index);
}

/** Whoever brought a document, the human behind them, and whoever lent them the token that they came with. */
export function exclusionsOfEvidence(evidence: ExternalEvidence, bringer: PersonState): readonly Exclusion[] {
  const humans = bringer.actsFor === undefined ? [bringer.id] : [bringer.id, bringer.actsFor];
  const brought = humans.map((person): Exclusion => ({ person, why: 'uploader' }));
  return evidence.lentBy === undefined ? brought : [...brought, { person: evidence.lentBy, why: 'lender' }];
}

/** True when a machine took part of which nobody knows for which human: then nobody could be excluded for it. */
export function hasOrphan(involved: Involved, people: Readonly<Record<string, PersonState>>): boolean {
  const { requester, owner, authors, uploader, bringers, policyAuthor } = involved;
  return [requester, owner, uploader, policyAuthor, ...authors, ...bringers].some((id) => {
    const person = people[id];
    return person !== undefined && person.kind !== 'human' && person.actsFor === undefined;
  });
}

/** Separation of duties: asked last, on fully loaded rows, administrators included. Null: nothing is in the way. */
export function separate(voter: PersonState, exclusions: readonly Exclusion[]): Refusal | null {
  if (voter.kind !== 'human')
    return refusal('not_permitted', 'only a human decides at a gate', { rule: 'humans_only' });
  if (voter.disabled) return refusal('person_disabled', 'a disabled person does not decide', { rule: 'enabled' });
  const found = exclusions.find((exclusion) => exclusion.person === voter.id);
  if (found === undefined) return null;
  return refusal('own_work', `${wordsFor[found.why]}, so somebody else must decide`, {
    rule: `separation/${found.why}`,
  });
}

/**
 * A vote is a person's own, and so is what they do about themselves: a lent token could be in its lender's hands, and
 * then one would act for two.
 */
export function separateLent(lentBy: PersonId | null, what = 'to decide with'): Refusal | null {
  if (lentBy === null) return null;
  const message = `expected a token of your own ${what}, got one that another person issued`;
  return refusal('step_up_required', message, { rule: 'separation/lent_token' });
}

const wordsFor: Readonly<Record<ExclusionReason, string>> = {
  requester: 'you asked for this promotion',
  author: 'you wrote part of this candidate',
  pusher: 'you pushed this commit',
  uploader: 'you uploaded this candidate or evidence for it',
  policy_author: 'you wrote the policy that this promotion is decided by',
  lender: 'you issued a token that part of this was done with',
};
