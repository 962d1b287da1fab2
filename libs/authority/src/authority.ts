import {
  type Authority,
  type Command,
  type Environment,
  type PersonId,
  type PersonState,
  type PromotionState,
  type Refusal,
  type Requirement,
  refusal,
  ruleOf,
  separate,
  separateLent,
} from '@proviso/domain';
import { type Facts, fills, rightsOf, verbsOf } from './ability.ts';
import { wordsOf } from './words.ts';

/** What is about to be done, and to what. The promotion is absent before its row is locked. */
export interface Subject {
  readonly actor: PersonState;
  readonly command: Command;
  readonly promotion?: PromotionState | null;
  readonly prototype?: string | null;
  /** Where a lane lives, when the command is about a lane. */
  readonly environment?: Environment | null;
  /** Who lent the actor the token they came with. */
  readonly lentBy?: PersonId | null;
  /** Through which door they came, where that matters. */
  readonly door?: { readonly channel: string } | null;
}

/**
 * May this actor do this? Ability first, from the bindings; separation of duties last, on the loaded row, because no
 * rule of an ability may ever grant it away. Null: nothing is in the way.
 */
export function authorise(subject: Subject): Refusal | null {
  const { actor, command } = subject;
  if (actor.disabled) return refusal('person_disabled', 'expected an active person', { rule: 'enabled' });
  if (isOwnAffair(subject)) return null;
  if (!rightsOf(actor).can(command.kind, factsOf(subject))) return lacking(subject);
  if (command.kind !== 'Decide' || subject.promotion == null) return null;
  return separate(actor, subject.promotion.exclusions) ?? separateLent(subject.lentBy ?? null);
}

/**
 * What people may do about themselves without any role. What gives a new way in, an account or a token, wants a person
 * who is signed in at a page: a token that was stolen or lent could else make itself last.
 */
function isOwnAffair({ actor, command, lentBy, door }: Subject): boolean {
  if (!('person' in command) || command.person !== actor.id || actor.kind !== 'human' || lentBy != null) return false;
  switch (command.kind) {
    case 'LinkIdentity':
    case 'IssueToken':
      return door?.channel === 'page';
    case 'UnlinkIdentity':
    case 'RevokeToken':
    case 'EndSessions':
      return true;
    default:
      return false;
  }
}

/**
 * The same question before anything is locked: only whether some binding could allow it. Conditions are not asked, so
 * this may refuse and never grants.
 */
export function mightBeAllowed(subject: Pick<Subject, 'actor' | 'command'>): Refusal | null {
  const { actor, command } = subject;
  if (actor.disabled) return refusal('person_disabled', 'expected an active person', { rule: 'enabled' });
  return rightsOf(actor).can(command.kind, 'thing') ? null : lacking(subject);
}

/** What a decision consults about voters: their rights of today, then separation. */
export const authority: Authority = { counts };

/** True when this principal may read the workspace, or, for an edge, its orders. */
export function mayRead(actor: PersonState, noun: 'workspace' | 'edge' = 'workspace'): boolean {
  return !actor.disabled && rightsOf(actor).can(noun === 'edge' ? 'run_edge' : 'read', 'thing');
}

function counts(voter: PersonState, requirement: Requirement, promotion: PromotionState): boolean {
  if (separate(voter, promotion.exclusions) !== null) return false;
  const facts = {
    noun: 'thing',
    prototype: promotion.prototype,
    environment: promotion.policy.environment,
    votesFrom: [requirement.from],
  } as const;
  return rightsOf(voter).can('Decide', facts) && voter.bindings.some((binding) => fills(binding, requirement.from));
}

function factsOf(subject: Subject): Facts {
  const { promotion, command } = subject;
  const prototype = promotion?.prototype ?? subject.prototype ?? ('prototype' in command ? command.prototype : null);
  const requirements = promotion == null ? [] : (ruleOf(promotion.policy, 'approval')?.requirements ?? []);
  return {
    noun: 'thing',
    prototype,
    environment: promotion?.policy.environment ?? subject.environment ?? null,
    votesFrom: requirements.map((one) => one.from),
  };
}

function lacking(subject: Subject): Refusal {
  return refusal('not_permitted', `expected somebody who may ${wordsOf[subject.command.kind]}`, {
    rule: `ability/${subject.command.kind}`,
    whoCan: whoCan(subject),
  });
}

/** Who could do it instead: groups and roles, never names. */
export function whoCan(subject: Pick<Subject, 'command' | 'promotion'>): readonly string[] {
  if (subject.command.kind === 'Decide' && subject.promotion != null) {
    return (ruleOf(subject.promotion.policy, 'approval')?.requirements ?? []).map((requirement) => requirement.from);
  }
  return Object.entries(verbsOf)
    .filter(([, verbs]) => verbs.includes(subject.command.kind))
    .map(([role]) => `role/${role}`);
}
