import { Ability, type AbilityTuple } from '@casl/ability';
import type { Binding, Command, PersonId, PersonState, Role } from '@proviso/domain';

/** What a rule looks at. Our own object with a fixed noun: never a body, so nobody smuggles in a subject type. */
export interface Facts {
  readonly noun: 'thing';
  readonly prototype: string | null;
  readonly environment: string | null;
}

type Abilities = AbilityTuple<string, 'thing' | Facts>;

/** What one principal may do, built from the bindings alone. The condition of each rule is the binding behind it. */
export type Rights = Ability<Abilities, Binding>;

/** What a role may be allowed: every command, and two ways to look. */
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
  return votersVerbs.some((one) => one === verb);
}

/** What may be done in another's stead: voting, and nothing that people do beside it. */
export const delegableVerbs: readonly Verb[] = ['Decide', 'Defer'];

/** What two or three different people must do: none of them comes with another's token. */
const ownVerbs: ReadonlySet<Verb> = new Set(['Delegate', 'AskWaiver', 'AskBreakGlass', 'ReviewBreakGlass']);

/** True for what is asked for or looked at by one person, so that others can agree or have agreed. */
export function isOwnVerb(verb: Verb): boolean {
  return ownVerbs.has(verb);
}

/** What each role may do: the whole of it. A role that is not listed may do nothing, a verb that is not listed is nobody's. */
export const verbsOf: Readonly<Record<Role, readonly Verb[]>> = {
  builder: [
    'read',
    'RegisterPrototype',
    'AssignOwner',
    'FreezeCandidate',
    'OpenPromotion',
    'AskWaiver',
    'AskBreakGlass',
    'Rerun',
    'Cancel',
    'Rollback',
  ],
  approver: ['read', ...votersVerbs, 'Delegate', 'EndDelegation', 'ReviewBreakGlass'],
  operator: [
    'read',
    ...votersVerbs,
    'Delegate',
    'EndDelegation',
    'TrustPrototype',
    'AssignOwner',
    'HoldLane',
    'ResumeLane',
    'SetVariable',
    'UnsetVariable',
    'BindSecret',
    'UnbindSecret',
    'RotateSecret',
    'SetLimits',
    'AskWaiver',
    'AskBreakGlass',
    'ReviewBreakGlass',
    'Retire',
    'Rerun',
    'Cancel',
    'Rollback',
  ],
  'policy-owner': ['read', 'PublishPolicy', 'ReviewBreakGlass'],
  auditor: ['read'],
  administrator: [
    'read',
    'AddPerson',
    'GrantRole',
    'RevokeRole',
    'IssueToken',
    'RevokeToken',
    'DisablePerson',
    'AssignOwner',
  ],
  worker: ['Claim', 'Report', 'Breakage', 'Weigh', 'Look', 'Undone', 'Tick', 'Cancel'],
  keeper: ['Tick', 'RaiseIncarnation', 'RemoveArtifact', 'RecordSweep'],
  founder: ['OpenWorkspace', 'AddPerson', 'GrantRole', 'IssueToken'],
  edge: ['run_edge'],
};

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

/** The binding by which a principal holds this right here; `can` answers only whether there is one. */
export function grantOf(person: PersonState, verb: Verb, facts: Facts): Binding | undefined {
  return rightsOf(person).relevantRuleFor(verb, facts)?.conditions;
}

/** True when a vote by this person counts here for `group/<name>` or `role/<name>`: one binding must do for both. */
export function mayFill(person: PersonState, from: string, facts: Facts): boolean {
  for (const rule of rightsOf(person).rulesFor('Decide', 'thing')) {
    if (rule.conditions !== undefined && fills(rule.conditions, from) && rule.matchesConditions(facts)) return true;
  }
  return false;
}

function build(bindings: readonly Binding[]): Rights {
  const rules = bindings.flatMap((binding) =>
    (binding.from === undefined ? verbsOf[binding.role] : delegableVerbs).map((verb) => ({
      action: verb,
      subject: 'thing' as const,
      conditions: binding,
    })),
  );
  return new Ability<Abilities, Binding>(rules, {
    conditionsMatcher: (binding) => (facts) => reaches(binding, facts as unknown as Facts),
    detectSubjectType: (facts) => facts.noun,
  });
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

function fills(binding: Binding, from: string): boolean {
  const role = from === `role/${binding.role}`;
  const group = binding.role === 'approver' && binding.group !== undefined && from === `group/${binding.group}`;
  return role || group;
}
