import {
  type Authority,
  type Command,
  type Environment,
  type PersonId,
  type PersonState,
  type PromotionState,
  type Refusal,
  type Requirement,
  type Scope,
  refusal,
  ruleOf,
  separate,
  separateLent,
  separateLentOwn,
} from '@proviso/domain';
import { type Facts, fills, ownVerbs, rightsOf, verbsOf } from './ability.ts';
import { outOfScope } from './scope.ts';
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
  /** What the token that they came with is narrowed to; null or absent for a whole one, and for whoever needs none. */
  readonly scopes?: readonly Scope[] | null;
}

/**
 * May this actor do this? Ability first, from the bindings, then what their token is narrowed to; separation of duties
 * last, on the loaded row, because no rule of an ability may ever grant it away. Null: nothing is in the way.
 */
export function authorise(subject: Subject): Refusal | null {
  const { actor, command } = subject;
  if (actor.disabled) return refusal('person_disabled', 'expected an active person', { rule: 'enabled' });
  const byRole = rightsOf(actor).can(command.kind, factsOf(subject));
  if (!byRole && !isOwn(subject)) return lacking(subject);
  const narrowed = outOfScope(subject.scopes ?? null, command.kind);
  if (narrowed !== null) return narrowed;
  if (!byRole) return separateLentOwn(subject.lentBy ?? null);
  if (command.kind !== 'Decide' || subject.promotion == null) return null;
  return separate(actor, subject.promotion.exclusions) ?? separateLent(subject.lentBy ?? null);
}

/**
 * The same question before anything is locked: only whether some binding could allow it. Conditions are not asked, so
 * this may refuse and never grants.
 */
export function mightBeAllowed(subject: Pick<Subject, 'actor' | 'command'>): Refusal | null {
  const { actor, command } = subject;
  if (actor.disabled) return refusal('person_disabled', 'expected an active person', { rule: 'enabled' });
  return isOwn(subject) || rightsOf(actor).can(command.kind, 'thing') ? null : lacking(subject);
}

/** About oneself some things need no role. */
function isOwn({ actor, command }: Pick<Subject, 'actor' | 'command'>): boolean {
  return ownVerbs.includes(command.kind) && 'person' in command && command.person === actor.id;
}

/** What a decision consults about voters: their rights of today, then separation. */
export const authority: Authority = { counts };

/** True when this principal may read the workspace, or, for an edge, its orders. */
export function mayRead(actor: PersonState, noun: 'workspace' | 'edge' = 'workspace'): boolean {
  return !actor.disabled && rightsOf(actor).can(verbFor(noun), 'thing');
}

/** The no of a token that is too narrow for this kind of reading. */
export function readOutOfScope(
  scopes: readonly Scope[] | null,
  noun: 'workspace' | 'edge' = 'workspace',
): Refusal | null {
  return outOfScope(scopes, verbFor(noun));
}

function verbFor(noun: 'workspace' | 'edge'): 'read' | 'run_edge' {
  return noun === 'edge' ? 'run_edge' : 'read';
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
