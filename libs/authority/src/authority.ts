import {
  type Authority,
  type Command,
  type Environment,
  type PersonId,
  type PersonState,
  type PromotionState,
  type PrototypeId,
  type Refusal,
  type Requirement,
  refusal,
  type Rights,
  delegatorsOf,
  ruleOf,
  separate,
  separateLent,
} from '@proviso/domain';
import {
  type Facts,
  type Verb,
  delegableVerbs,
  grantOf,
  isOwnVerb,
  isVotersVerb,
  mayFill,
  rightsOf,
  verbsOf,
} from './ability.ts';
import { bindingWords, wordsOf } from './words.ts';

/** What is about to be done, and to what. The promotion is absent before its row is locked. */
export interface Subject {
  readonly actor: PersonState;
  /** Of the command only what it is called, and the prototype where it names one: its body is never believed. */
  readonly command: { readonly kind: Command['kind']; readonly prototype?: PrototypeId };
  readonly promotion?: PromotionState | null;
  readonly prototype?: string | null;
  /** Where a lane lives, when the command is about a lane. */
  readonly environment?: Environment | null;
  /** Who lent the actor the token they came with. */
  readonly lentBy?: PersonId | null;
  /** Those in whose stead the actor might act, and when that is asked. */
  readonly rights?: Rights;
}

/** One rule that was asked and what it said. The last one asked is the one that decides. */
export interface Asked {
  readonly rule: string;
  readonly answer: 'yes' | 'no';
  /** As said to the person it is about. */
  readonly words: string;
  /** The whole no; null with a yes. */
  readonly refusal: Refusal | null;
}

/** May this actor do this? The last word of `explain`, without the rest of it: a yes builds no words. */
export function authorise(subject: Subject): Refusal | null {
  return ask(subject, null);
}

/** Every rule that was asked, in order, up to the first no. */
export function explain(subject: Subject): readonly Asked[] {
  const asked: Asked[] = [];
  ask(subject, asked);
  return asked;
}

/**
 * Asks the rules in their order until one says no. Ability first, from the bindings; separation of duties last, on the
 * loaded row, because no rule of an ability may ever grant it away.
 */
function ask(subject: Subject, asked: Asked[] | null): Refusal | null {
  const facts = factsOf(subject);
  for (const rule of rules) {
    const no = rule.refuse(subject, facts);
    if (asked !== null) asked.push(...told(rule, { subject, facts, no }));
    if (no !== null) return no;
  }
  return null;
}

interface Rule {
  readonly refuse: (subject: Subject, facts: Facts) => Refusal | null;
  /** Under which name and with which words it says yes; null: such a command is not its matter. */
  readonly agree: (subject: Subject, facts: Facts) => Pick<Asked, 'rule' | 'words'> | null;
}

/** Whoever adds a rule adds it before separation. */
const rules: readonly Rule[] = [
  { refuse: shutOut, agree: () => ({ rule: 'enabled', words: 'you are an active person' }) },
  { refuse: unable, agree: ableBy },
  { refuse: unasked, agree: askedFor },
  { refuse: separated, agree: unrelated },
];

function told(
  rule: Rule,
  { subject, facts, no }: { subject: Subject; facts: Facts; no: Refusal | null },
): readonly Asked[] {
  if (no !== null) return [{ rule: no.rule ?? no.code, answer: 'no', words: no.message, refusal: no }];
  const yes = rule.agree(subject, facts);
  return yes === null ? [] : [{ ...yes, answer: 'yes', refusal: null }];
}

function shutOut({ actor }: Pick<Subject, 'actor'>): Refusal | null {
  return actor.disabled ? refusal('person_disabled', 'expected an active person', { rule: 'enabled' }) : null;
}

function unable(subject: Subject, facts: Facts): Refusal | null {
  if (rightsOf(subject.actor).can(subject.command.kind, facts)) return null;
  return delegatorsIn(subject).length > 0 ? null : lacking(subject);
}

function ableBy({ actor, command }: Subject, facts: Facts): ReturnType<Rule['agree']> {
  const binding = grantOf(actor, command.kind, facts);
  return {
    rule: `ability/${command.kind}`,
    words: binding === undefined ? 'nobody' : `you are ${bindingWords(binding)}`,
  };
}

/** A vote must be one that the gate asks for, by a binding that reaches this promotion. A row not loaded asks nobody. */
function unasked(subject: Subject, facts: Facts): Refusal | null {
  const { actor, command } = subject;
  if (!isVotersVerb(command.kind)) return null;
  const asked = askedFrom(subject).some((from) => fillersOf(subject).some((one) => mayFill(one, from, facts)));
  return asked ? null : lacking(subject, 'requirement');
}

function askedFor(subject: Subject, facts: Facts): ReturnType<Rule['agree']> {
  const { actor, command } = subject;
  if (!isVotersVerb(command.kind)) return null;
  const filled = askedFrom(subject).flatMap((from) =>
    fillersOf(subject).some((one) => mayFill(one, from, facts)) ? [from] : [],
  );
  return { rule: `requirement/${filled.join('+')}`, words: `this gate asks for ${filled.join(' and ')}` };
}

function separated({ actor, command, promotion, lentBy = null }: Subject): Refusal | null {
  // Whoever asks for an exception must be somebody else than who agrees, so neither comes with another's token.
  if (isOwnVerb(command.kind)) return separateLent(lentBy);
  if (!isVotersVerb(command.kind)) return null;
  return separate(actor, promotion?.exclusions ?? []) ?? separateLent(lentBy);
}

function unrelated({ command }: Subject): ReturnType<Rule['agree']> {
  return isVotersVerb(command.kind) ? { rule: 'separation', words: 'you had no part in it' } : null;
}

/** Whose rights could be used: one's own, or those of people who gave theirs and may vote on this themselves. */
function fillersOf(subject: Subject): readonly PersonState[] {
  return [subject.actor, ...delegatorsIn(subject)];
}

function delegatorsIn({ actor, command, promotion, rights }: Subject): readonly PersonState[] {
  if (!delegableVerbs.includes(command.kind) || promotion == null || rights === undefined) return [];
  return delegatorsOf(actor, promotion, rights).filter((one) => separate(one, promotion.exclusions) === null);
}

/**
 * The same question before anything is locked: only whether some binding could allow it. Conditions are not asked, so
 * this may refuse and never grants.
 */
export function mightBeAllowed(subject: Pick<Subject, 'actor' | 'command'>): Refusal | null {
  const { actor, command } = subject;
  return shutOut(subject) ?? (rightsOf(actor).can(command.kind, 'thing') ? null : lacking(subject));
}

/** What a decision consults about voters: their rights of today, then separation. */
export const authority: Authority = { counts };

/** True when this principal may read the workspace, or, for an edge, its orders. */
export function mayRead(actor: PersonState, noun: 'workspace' | 'edge' = 'workspace'): boolean {
  return !actor.disabled && rightsOf(actor).can(noun === 'edge' ? 'run_edge' : 'read', 'thing');
}

function counts(voter: PersonState, requirement: Requirement, promotion: PromotionState): boolean {
  if (separate(voter, promotion.exclusions) !== null) return false;
  const facts = factsOf({ actor: voter, command: { kind: 'Decide' }, promotion });
  return mayFill(voter, requirement.from, facts);
}

function factsOf({ promotion, command, prototype, environment }: Subject): Facts {
  return {
    noun: 'thing',
    prototype: promotion?.prototype ?? prototype ?? command.prototype ?? null,
    environment: promotion?.policy.environment ?? environment ?? null,
  };
}

/** Whose word this command needs at this promotion, as its pinned policy says. */
function askedFrom({ command, promotion }: Pick<Subject, 'command' | 'promotion'>): readonly string[] {
  const rule = promotion == null ? undefined : ruleOf(promotion.policy, 'approval');
  if (command.kind === 'ApproveWaiver') return rule?.waivers === undefined ? [] : [rule.waivers.from];
  if (command.kind === 'ApproveBreakGlass') return rule?.breakGlass === undefined ? [] : [rule.breakGlass.from];
  return requirementsOf({ promotion: promotion ?? null }).map(({ from }) => from);
}

/** Whose votes a promotion asks for; none where its policy asks nobody, or where it was not loaded. */
function requirementsOf({ promotion }: Pick<Subject, 'promotion'>): readonly Requirement[] {
  return promotion == null ? [] : (ruleOf(promotion.policy, 'approval')?.requirements ?? []);
}

function lacking(subject: Pick<Subject, 'command' | 'promotion'>, rule = `ability/${subject.command.kind}`): Refusal {
  const { kind } = subject.command;
  return refusal('not_permitted', `expected somebody who may ${wordsOf[kind]}`, { rule, whoCan: whoCan(subject) });
}

/** Who could do it instead: groups and roles, never names. */
export function whoCan({ command, promotion }: Pick<Subject, 'command' | 'promotion'>): readonly string[] {
  if (isVotersVerb(command.kind) && promotion != null) return askedFrom({ command, promotion });
  return holders(command.kind);
}

/** Roles by verb, worked out once: a no that costs more than a yes would be a lever for a flood. */
const holdersOf = new Map<Verb, readonly string[]>();

function holders(verb: Verb): readonly string[] {
  const known = holdersOf.get(verb);
  if (known !== undefined) return known;
  const found = Object.entries(verbsOf)
    .filter(([, verbs]) => verbs.includes(verb))
    .map(([role]) => `role/${role}`);
  holdersOf.set(verb, found);
  return found;
}
