import { Ability, type AbilityTuple } from '@casl/ability';
import { type Binding, type Command, type PersonId, type PersonState, type Role, roles } from '@proviso/domain';

/** What a rule looks at. Our own object with a fixed noun: never a body, so nobody smuggles in a subject type. */
export interface Facts {
  readonly noun: 'thing';
  readonly prototype: string | null;
  readonly environment: string | null;
}

type Abilities = AbilityTuple<string, 'thing' | Facts>;

/** A binding behind a rule, with what a vote under it counts as: `role/<name>`, and in a group `group/<name>`. */
interface Grant {
  readonly binding: Binding;
  readonly countsAs: readonly string[];
}

/** What one principal may do, built from the bindings alone. The condition of each rule is the grant behind it. */
export type Rights = Ability<Abilities, Grant>;

/** Everything that can be allowed: each command by its kind, and the two ways to read. */
export type Verb = Command['kind'] | 'read' | 'run_edge';

/** What people do by their vote's right: only where the pinned policy asks for a group or role of theirs. */
export const votersVerbs = [
  'Decide',
  'Defer',
  'ApproveWaiver',
  'ApproveBreakGlass',
] as const satisfies readonly Command['kind'][];

/** True for what only the voters of a gate may do, and nobody about their own work. */
export function isVotersVerb(verb: string): verb is (typeof votersVerbs)[number] {
  return votersVerbSet.has(verb);
}

/** What nobody does about their own work: to decide on it, and to bring it to more users sooner than its policy would. */
const separatedVerbs: ReadonlySet<string> = new Set<Verb>([...votersVerbs, 'Advance']);

/** True for what separation of duties is asked about. */
export function isSeparatedVerb(verb: Verb): boolean {
  return separatedVerbs.has(verb);
}

const votersVerbSet: ReadonlySet<string> = new Set(votersVerbs);

/** What may be done in another's stead: voting, and nothing that people do beside it. */
const delegableVerbs: readonly Verb[] = ['Decide', 'Defer'];

/** True for what may be done in another's stead. */
export function isDelegableVerb(verb: Verb): boolean {
  return delegableVerbs.includes(verb);
}

/**
 * What no agent does, whatever role it was given: it may take something from users and never let it on, and it may try a
 * policy out and never change one.
 */
const beyondAgents: ReadonlySet<Verb> = new Set([
  ...(['Unpause', 'Advance', 'ResumeLane', 'PublishPolicy', 'AgreeToPolicy', 'AssignTier'] as const),
  ...(['AskBreakGlass', 'ReviewBreakGlass'] as const),
]);

/** True for what an agent never does; that it has no vote is said by separation, as of every machine. */
export function isBeyondAgents(verb: Verb): boolean {
  return beyondAgents.has(verb);
}

/** What two or three different people must do: none of them comes with another's token. */
const unlentVerbs: ReadonlySet<Verb> = new Set(['Delegate', 'AskWaiver', 'AskBreakGlass', 'ReviewBreakGlass']);

/** True for what is asked for or looked at by one person, so that others can agree or have agreed. */
export function isUnlentVerb(verb: Verb): boolean {
  return unlentVerbs.has(verb);
}

/** Whoever runs the deployment or lets people in also says who outside is told what happens. */
const webhookVerbs = [
  'AddWebhook',
  'ChangeWebhook',
  'RotateWebhook',
  'RemoveWebhook',
  'ResendWebhook',
] as const satisfies readonly Verb[];

/** What each role may do: the whole of it. A role that is not listed may do nothing, a verb that is not listed is nobody's. */
export const verbsOf: Readonly<Record<Role, readonly Verb[]>> = {
  builder: [
    'read',
    'Comment',
    'RegisterPrototype',
    'AssignOwner',
    'FreezeCandidate',
    'AddEvidence',
    'OpenPromotion',
    'AskWaiver',
    'AskBreakGlass',
    'Rerun',
    'Cancel',
    'Rollback',
    'Pause',
  ],
  approver: ['read', 'Comment', ...votersVerbs, 'Delegate', 'EndDelegation', 'ReviewBreakGlass'],
  operator: [
    'read',
    'Comment',
    ...votersVerbs,
    'Delegate',
    'EndDelegation',
    'TrustPrototype',
    'TrustWorkload',
    'DistrustWorkload',
    'AssignOwner',
    'HoldLane',
    'ResumeLane',
    'SetVariable',
    'UnsetVariable',
    'BindSecret',
    'UnbindSecret',
    'RotateSecret',
    'SetLimits',
    ...webhookVerbs,
    'AskWaiver',
    'AskBreakGlass',
    'ReviewBreakGlass',
    'Retire',
    'Rerun',
    'Cancel',
    'Rollback',
    'Pause',
    'Unpause',
    'Advance',
  ],
  'policy-owner': ['read', 'Comment', 'PublishPolicy', 'AssignTier', 'ReviewBreakGlass'],
  auditor: ['read', 'Comment', 'ReadPersonal'],
  administrator: [
    'read',
    'Comment',
    'AddPerson',
    'GrantRole',
    'RevokeRole',
    'IssueToken',
    'RevokeToken',
    'DisablePerson',
    'ErasePerson',
    'ReadPersonal',
    'UnlinkIdentity',
    'EndSessions',
    'AssignOwner',
    'AgreeToPolicy',
    ...webhookVerbs,
  ],
  worker: ['Claim', 'Report', 'Breakage', 'Weigh', 'Look', 'Undone', 'Tick', 'Cancel', 'ClaimWatch', 'ReportWatch'],
  keeper: ['Tick', 'RaiseIncarnation', 'RemoveArtifact', 'RecordSweep', 'StopWebhook'],
  founder: ['OpenWorkspace', 'AddPerson', 'GrantRole', 'IssueToken'],
  edge: ['run_edge'],
  // What a run may do of these, and for which commit, the rule says by which it is trusted.
  workload: ['AddEvidence', 'FreezeCandidate', 'OpenPromotion'],
  porter: ['AddPerson'],
};

/** The roles that may read a workspace. */
export const readingRoles: readonly Role[] = roles.filter((role) => verbsOf[role].includes('read'));

/**
 * What everybody may do about themselves, without any role; never with a token that another person issued. What gives a
 * new way in, an account or a whole token, wants a person who is signed in at a page: a stolen token could else make
 * itself last.
 */
export const ownAffairs = {
  anywhere: ['IssueOwnToken', 'RevokeToken', 'UnlinkIdentity', 'EndSessions', 'ReadPersonal'],
  page: ['IssueToken', 'LinkIdentity'],
} as const satisfies Readonly<Record<'anywhere' | 'page', readonly Verb[]>>;

const own = { anywhere: new Set<Verb>(ownAffairs.anywhere), page: new Set<Verb>(ownAffairs.page) };

/** True for what is everybody's own affair, through this door. */
export function isOwnAffair(verb: Verb, door: { readonly channel: string } | null): boolean {
  return own.anywhere.has(verb) || (own.page.has(verb) && door?.channel === 'page');
}

/** Enough principals for a busy deployment; the oldest is dropped first. */
const cachedMax = 5_000;

const cache = new Map<PersonId, { bindings: readonly Binding[]; readonly rights: Rights }>();

/**
 * The rights of a principal, cached as long as the very same bindings are held: whatever revision a person has reached,
 * nothing but the bindings is asked here. The same array is known at a glance, since states are never changed in place;
 * a state that was read again is compared, and remembered for the next glance.
 */
export function rightsOf(person: PersonState): Rights {
  const found = cache.get(person.id);
  if (found !== undefined) {
    if (found.bindings === person.bindings) return found.rights;
    if (areSame(found.bindings, person.bindings)) {
      found.bindings = person.bindings;
      return found.rights;
    }
    cache.delete(person.id);
  }
  const rights = build(person.bindings);
  cache.set(person.id, { bindings: person.bindings, rights });
  const oldest = cache.keys().next();
  if (cache.size > cachedMax && !oldest.done) cache.delete(oldest.value);
  return rights;
}

/** The binding by which this is a right here; `can` answers only whether there is one. */
export function bindingBehind(rights: Rights, verb: Verb, facts: Facts): Binding | undefined {
  return rights.relevantRuleFor(verb, facts)?.conditions?.binding;
}

/** True when a vote counts here for `group/<name>` or `role/<name>`: one binding must reach and count. */
export function mayFill(rights: Rights, from: string, facts: Facts): boolean {
  for (const rule of rights.rulesFor('Decide', 'thing'))
    if (rule.conditions?.countsAs.includes(from) === true && rule.matchesConditions(facts)) return true;
  return false;
}

function build(bindings: readonly Binding[]): Rights {
  const rules = bindings.flatMap((binding) => {
    const grant = { binding, countsAs: countsAs(binding) };
    const verbs = binding.from === undefined ? verbsOf[binding.role] : delegableVerbs;
    return verbs.map((verb) => ({ action: verb, subject: 'thing' as const, conditions: grant }));
  });
  return new Ability<Abilities, Grant>(rules, {
    conditionsMatcher: ({ binding }) => {
      return (facts) => reaches(binding, facts as unknown as Facts);
    },
    detectSubjectType: (facts) => facts.noun,
  });
}

function countsAs({ role, group }: Binding): readonly string[] {
  return role === 'approver' && group !== undefined ? [`role/${role}`, `group/${group}`] : [`role/${role}`];
}

/** How far a binding reaches. A fact that was not loaded is null and matches no narrower binding. */
function reaches(binding: Binding, facts: Facts): boolean {
  return (
    // A right that was given on is its holder's: it is asked for there, see `authority.ts`.
    binding.from === undefined &&
    (binding.prototype === undefined || binding.prototype === facts.prototype) &&
    (binding.environment === undefined || binding.environment === facts.environment)
  );
}

function areSame(one: readonly Binding[], other: readonly Binding[]): boolean {
  return one.length === other.length && one.every((held, index) => sameBinding(held, other[index]));
}

/** Field by field, whatever fields there are: one that this room does not know yet is never taken for the same. */
function sameBinding(one: Binding, other: Binding | undefined): boolean {
  if (other === undefined) return false;
  const names = Object.keys(one) as (keyof Binding)[];
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
