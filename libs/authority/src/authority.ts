import {
  type Authority,
  type Ballot,
  type Command,
  type Environment,
  type PersonId,
  type PersonState,
  type PromotionState,
  type PrototypeId,
  type Refusal,
  type Requirement,
  type Scene,
  type Demand,
  behindIn,
  leavesOf,
  reachOf,
  type Scope,
  refusal,
  type Rights as Stead,
  delegatorsOf,
  ruleOf,
  separate,
  separateLent,
} from '@proviso/domain';
import {
  type Facts,
  type Rights,
  type Verb,
  bindingBehind,
  isBeyondAgents,
  isDelegableVerb,
  isOwnAffair,
  isSeparatedVerb,
  isUnlentVerb,
  isVotersVerb,
  mayFill,
  rightsOf,
  verbsOf,
} from './ability.ts';
import { outOfScope } from './scope.ts';
import { bindingWords, wordsOf } from './words.ts';

/** What is about to be done, and to what. The promotion is absent before its row is locked. */
export interface Subject {
  readonly actor: PersonState;
  /** Those without whom the actor would not act: who answers for a machine, and who lent the token. */
  readonly behind?: readonly PersonState[];
  /** Of the command only what it is called, and what it is about: its body is never believed. */
  readonly command: {
    readonly kind: Command['kind'];
    readonly prototype?: PrototypeId;
    readonly person?: PersonId | undefined;
  };
  readonly promotion?: PromotionState | null;
  readonly prototype?: string | null;
  /** Where a lane lives, when the command is about a lane. */
  readonly environment?: Environment | null;
  /** Who lent the actor the token they came with. */
  readonly lentBy?: PersonId | null;
  /** What the token that they came with is narrowed to; null or absent for a whole one, and for whoever needs none. */
  readonly scopes?: readonly Scope[] | null;
  /** Through which door they came, where that matters. */
  readonly door?: { readonly channel: string } | null;
  /** Those in whose stead the actor might act, and when that is asked. */
  readonly stead?: Stead;
}

/** The question behind a command, put together from what is loaded: the same for a try, for an offer and for `explain`. */
export function subjectOf(scene: Scene, command: Command): Subject {
  const { actor, promotion, lentBy, token, door } = scene;
  const lane = reachOf(command).lane === undefined ? null : (scene.lanes.production ?? scene.lanes.staging);
  const prototype = scene.prototype?.id ?? scene.lanes.production?.prototype ?? scene.lanes.staging?.prototype ?? null;
  return {
    ...{ actor, behind: behindIn(scene), command, promotion, prototype, environment: lane?.environment ?? null },
    ...{ lentBy, scopes: token?.scopes ?? null, door, stead: scene },
  };
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
 * Asks the rules in their order until one says no. Ability first, from the bindings, then what the token is narrowed to;
 * separation of duties last, on the loaded row, because no rule of an ability may ever grant it away.
 */
function ask(subject: Subject, asked: Asked[] | null): Refusal | null {
  const known: Known = { rights: rightsOf(subject.actor), facts: factsOf(subject) };
  for (const rule of rules) {
    const no = rule.refuse(subject, known);
    if (asked !== null) asked.push(...told(no, () => rule.agree(subject, known)));
    if (no !== null) return no;
  }
  return null;
}

/** Looked up once for all rules. */
interface Known {
  readonly rights: Rights;
  readonly facts: Facts;
}

interface Rule {
  readonly refuse: (subject: Subject, known: Known) => Refusal | null;
  /** Under which name and with which words it says yes; null: such a command is not its matter. */
  readonly agree: (subject: Subject, known: Known) => Agreed | null;
}

type Agreed = Pick<Asked, 'rule' | 'words'>;

/** Whoever adds a rule adds it before separation. */
const rules: readonly Rule[] = [
  { refuse: shutOut, agree: () => ({ rule: 'enabled', words: 'you are an active person' }) },
  { refuse: unable, agree: ableBy },
  { refuse: beyond, agree: () => null },
  { refuse: narrowed, agree: wideEnough },
  { refuse: unasked, agree: askedFor },
  { refuse: separated, agree: unrelated },
];

function told(no: Refusal | null, agree: () => Agreed | null): readonly Asked[] {
  if (no !== null) return [{ rule: no.rule ?? no.code, answer: 'no', words: no.message, refusal: no }];
  const yes = agree();
  return yes === null ? [] : [{ ...yes, answer: 'yes', refusal: null }];
}

/** The no to whoever was shut out, and to who acts by somebody who was: nobody would answer for it. */
export function shutOut({ actor, behind = [] }: Pick<Subject, 'actor' | 'behind'>): Refusal | null {
  if (actor.disabled) return refusal('person_disabled', 'expected an active person', { rule: 'enabled' });
  const gone = behind.find(({ disabled }) => disabled);
  if (gone === undefined) return null;
  const [who, rule] =
    gone.id === actor.actsFor ? ['an active human who answers for this machine', 'answerer'] : lentByNobody;
  return refusal('nobody_answers', `expected ${who}, got one who was shut out`, { rule });
}

/** Whoever issued a token knows it, and would go on by it. */
const lentByNobody = ['a token whose lender is active', 'lender'] as const;

function unable(subject: Subject, { rights, facts }: Known): Refusal | null {
  if (rights.can(subject.command.kind, facts) || delegatorsIn(subject).length > 0) return null;
  return isOwn(subject) ? separateLent(subject.lentBy ?? null, 'for this') : lacking(subject);
}

function ableBy(subject: Subject, { rights, facts }: Known): Agreed {
  const { command } = subject;
  if (isOwn(subject) && subject.lentBy == null) return { rule: 'own_affair', words: 'it is about yourself' };
  const binding = bindingBehind(rights, command.kind, facts);
  return {
    rule: `ability/${command.kind}`,
    words: binding === undefined ? 'somebody gave you their right' : `you are ${bindingWords(binding)}`,
  };
}

/** An agent works in the safe direction, by whatever door and token it comes. */
function beyond({ actor, command, promotion }: Subject): Refusal | null {
  if (actor.kind !== 'agent' || !isBeyondAgents(command.kind)) return null;
  const message = `expected a person who may ${wordsOf[command.kind]}, got an agent`;
  return refusal('not_permitted', message, {
    rule: 'agents',
    whoCan: whoCan({ command, promotion: promotion ?? null }),
  });
}

/** What is narrowed by the token that somebody came with, and what is not theirs alone to do with it. */
function narrowed({ scopes, command }: Subject): Refusal | null {
  return outOfScope(scopes ?? null, command.kind);
}

function wideEnough({ scopes, command }: Subject): Agreed | null {
  return scopes == null ? null : { rule: 'token', words: `your token may do this (${command.kind})` };
}

/** A vote must be one that the gate asks for, by a binding that reaches this promotion. A row not loaded asks nobody. */
function unasked(subject: Subject, { rights, facts }: Known): Refusal | null {
  if (!isVotersVerb(subject.command.kind)) return null;
  const asked = askedFrom(subject);
  for (const from of asked) if (mayFill(rights, from, facts)) return null;
  const inStead = delegatorsIn(subject).map(rightsOf);
  return asked.some((from) => inStead.some((one) => mayFill(one, from, facts)))
    ? null
    : lacking(subject, 'requirement');
}

function askedFor(subject: Subject, { rights, facts }: Known): Agreed | null {
  if (!isVotersVerb(subject.command.kind)) return null;
  const fillers = [rights, ...delegatorsIn(subject).map(rightsOf)];
  const filled = askedFrom(subject).filter((from) => fillers.some((one) => mayFill(one, from, facts)));
  return { rule: `requirement/${filled.join('+')}`, words: `this gate asks for ${filled.join(' and ')}` };
}

function separated(subject: Subject): Refusal | null {
  const { actor, command, promotion, lentBy = null } = subject;
  // Whoever asks for an exception must be somebody else than who agrees, so neither comes with another's token.
  if (isUnlentVerb(command.kind)) return separateLent(lentBy);
  if (!isSeparatedVerb(command.kind)) return null;
  // A row that was not loaded says of nobody that they had no part in it.
  if (promotion == null) return lacking(subject, 'separation');
  return separate(actor, promotion.exclusions) ?? separateLent(lentBy);
}

function unrelated({ command }: Subject): Agreed | null {
  return isSeparatedVerb(command.kind) ? { rule: 'separation', words: 'you had no part in it' } : null;
}

/** Those who gave the actor their right and may vote on this themselves. */
function delegatorsIn({ actor, command, promotion, stead }: Subject): readonly PersonState[] {
  if (!isDelegableVerb(command.kind) || promotion == null || stead === undefined) return [];
  return delegatorsOf(actor, promotion, stead).filter((one) => separate(one, promotion.exclusions) === null);
}

/** True when it is about themselves and everybody's own affair; whether their token is theirs alone is not yet asked. */
function isOwn({ actor, command, door }: Subject): boolean {
  return command.person === actor.id && isOwnAffair(command.kind, door ?? null);
}

/**
 * The same question where there is no promotion to ask it about: only whether some binding could allow it. Conditions
 * are not asked, so this may refuse and never grants.
 */
export function mightBeAllowed(subject: Pick<Subject, 'actor' | 'behind' | 'command'>): Refusal | null {
  const { actor, command } = subject;
  return shutOut(subject) ?? (rightsOf(actor).can(command.kind, 'thing') ? null : lacking(subject));
}

/** What a decision consults about voters: their rights of today, then separation. */
export const authority: Authority = { counts };

/** True when this principal may read the workspace, or, for an edge, its orders. */
export function mayRead(actor: PersonState, noun: 'workspace' | 'edge' = 'workspace'): boolean {
  return !actor.disabled && rightsOf(actor).can(verbFor(noun), 'thing');
}

/**
 * True for whoever votes on this promotion by a right that was given to them: they may read what they are to vote on as
 * long as they hold it, whatever else they may not. Who has no right of their own here can have one from nobody else.
 */
export function votesInStead(actor: PersonState, promotion: PromotionState, stead: Stead): boolean {
  const command = { kind: 'Decide' } as const;
  const subject: Subject = { actor, command, promotion, stead };
  return delegatorsIn(subject).length > 0 && authorise(subject) === null;
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

function counts(voter: PersonState, requirement: Requirement, ballot: Ballot): boolean {
  if (separate(voter, ballot.exclusions) !== null) return false;
  const { prototype, policy } = ballot;
  return mayFill(rightsOf(voter), requirement.from, { noun: 'thing', prototype, environment: policy.environment });
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
  return rule === undefined ? [] : voicesOf(rule.requirements);
}

/** Whose votes a rule asks for, each once, worked out once for each: a pinned policy never changes, and every question needs it. */
const voices = new WeakMap<readonly Demand[], readonly string[]>();

function voicesOf(demands: readonly Demand[]): readonly string[] {
  const known = voices.get(demands);
  if (known !== undefined) return known;
  const found = [...new Set(leavesOf(demands).map(({ from }) => from))];
  voices.set(demands, found);
  return found;
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
