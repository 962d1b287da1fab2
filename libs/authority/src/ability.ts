import { Ability, type AbilityTuple, type RawRuleFrom } from '@casl/ability';
import type { Binding, Command, PersonState, Role } from '@proviso/domain';

/** What a rule looks at. Our own object with a fixed noun: never a body, so nobody smuggles in a subject type. */
export interface Facts {
  readonly noun: 'thing';
  readonly prototype: string | null;
  readonly environment: string | null;
  /** At an approval gate: whose votes count, as `group/<name>` or `role/<name>`. */
  readonly votesFrom: readonly string[];
}

type Lambda = (facts: Facts) => boolean;
type Rules = readonly RawRuleFrom<AbilityTuple<string, 'thing' | Facts>, Lambda>[];

/** What one principal may do, built from the bindings alone. */
export type Rights = Ability<AbilityTuple<string, 'thing' | Facts>, Lambda>;

/** Everything that can be allowed: each command by its kind, and the two ways to read. */
export type Verb = Command['kind'] | 'read' | 'run_edge';

/** What each role may do: the whole of it. A role that is not listed may do nothing, a verb that is not listed is nobody's. */
export const verbsOf: Readonly<Record<Role, readonly Verb[]>> = {
  builder: [
    'read',
    'RegisterPrototype',
    'AssignOwner',
    'FreezeCandidate',
    'AddEvidence',
    'OpenPromotion',
    'Rerun',
    'Cancel',
    'Rollback',
  ],
  approver: ['read', 'Decide'],
  operator: [
    'read',
    'Decide',
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
    'Rerun',
    'Cancel',
    'Rollback',
  ],
  'policy-owner': ['read', 'PublishPolicy'],
  auditor: ['read', 'ReadPersonal'],
  administrator: [
    'read',
    'AddPerson',
    'GrantRole',
    'RevokeRole',
    'IssueToken',
    'RevokeToken',
    'DisablePerson',
    'ErasePerson',
    'ReadPersonal',
    'AssignOwner',
  ],
  worker: ['Claim', 'Report', 'Breakage', 'Weigh', 'Look', 'Undone', 'Tick', 'Cancel'],
  keeper: ['Tick', 'RaiseIncarnation', 'RemoveArtifact', 'RecordSweep'],
  founder: ['OpenWorkspace', 'AddPerson', 'GrantRole', 'IssueToken'],
  edge: ['run_edge'],
  workload: ['AddEvidence'],
};

/** What everybody may do about themselves, without any role; never with a token that another person issued. */
export const ownVerbs: readonly Verb[] = ['IssueOwnToken', 'RevokeOwnToken', 'ReadPersonal'];

/** Enough principals for a busy deployment; the oldest is dropped first. */
const cachedMax = 5_000;

const cache = new Map<string, { readonly bindings: readonly Binding[]; readonly rights: Rights }>();

/** The rights of a principal, cached as long as the very same bindings are held. */
export function rightsOf(person: PersonState): Rights {
  const found = cache.get(person.id);
  if (found !== undefined && JSON.stringify(found.bindings) === JSON.stringify(person.bindings)) return found.rights;
  const rights = build(person.bindings);
  cache.delete(person.id);
  cache.set(person.id, { bindings: person.bindings, rights });
  const oldest = cache.keys().next();
  if (cache.size > cachedMax && !oldest.done) cache.delete(oldest.value);
  return rights;
}

function build(bindings: readonly Binding[]): Rights {
  const rules: Rules = bindings.flatMap((binding) =>
    verbsOf[binding.role].map((verb) => ({
      action: verb,
      subject: 'thing' as const,
      conditions: reach(binding, verb),
    })),
  );
  return new Ability<AbilityTuple<string, 'thing' | Facts>, Lambda>([...rules], {
    conditionsMatcher: (lambda) => (facts) => lambda(facts as unknown as Facts),
    detectSubjectType: (facts) => facts.noun,
  });
}

/** How far a binding reaches. A fact that was not loaded is null and matches no narrower binding. */
function reach(binding: Binding, verb: Verb): Lambda {
  return (facts) => {
    const here =
      (binding.prototype === undefined || binding.prototype === facts.prototype) &&
      (binding.environment === undefined || binding.environment === facts.environment);
    return here && (verb !== 'Decide' || facts.votesFrom.some((from) => fills(binding, from)));
  };
}

/** True when a vote under this binding counts for `group/<name>` or `role/<name>`. */
export function fills(binding: Binding, from: string): boolean {
  const role = from === `role/${binding.role}`;
  const group = binding.role === 'approver' && binding.group !== undefined && from === `group/${binding.group}`;
  return role || group;
}
