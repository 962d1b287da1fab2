import type { Digest, PersonId, PolicyId } from './id.ts';
import { type Policy, freezeProblem, policyProblem } from './policy.ts';
import { unsatisfiable } from './policy-people.ts';
import { type PolicyEdit, comparePolicies, strengthOf } from './policy-strength.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Scene } from './scene.ts';
import { separateLent } from './separation.ts';

/** A weaker version is an exception, and an exception that outlives a quarter is the rule. */
export const weakerMsMax = 90 * 86_400_000;

/** One published version. */
export interface PolicyVersion {
  readonly version: number;
  readonly digest: Digest;
  readonly author: PersonId;
  /** Who issued the author's token, when it was somebody else. */
  readonly lentBy?: PersonId;
  /** Only of a weaker version: when the one before it is in force again. */
  readonly until?: number;
  readonly policy: Policy;
}

/** A named policy and its newest version; older versions stay in the journal. */
export interface PolicyState {
  readonly id: PolicyId;
  readonly name: string;
  readonly current: PolicyVersion;
  /** What is in force again when a weaker `current` has ended; absent when `current` stays. */
  readonly stronger?: PolicyVersion;
  /** A weaker version that waits for an administrator to agree. Nothing is opened under it. */
  readonly proposed?: PolicyVersion;
}

interface Published extends Omit<PolicyVersion, 'policy'> {
  readonly v: 1;
  readonly id: PolicyId;
  readonly policy: Policy;
  /** How it differs from the version that stays; absent in entries from before edits were classified. */
  readonly edits?: readonly PolicyEdit[];
}

/** What may happen to a policy. */
export type PolicyEvent =
  | ({ readonly kind: 'policy_published' } & Published)
  | ({ readonly kind: 'policy_proposed' } & Published)
  | {
      readonly kind: 'policy_agreed';
      readonly v: 1;
      readonly id: PolicyId;
      readonly version: number;
      readonly by: PersonId;
    };

/** What may be asked about a policy. `digest` addresses the stored source document. */
export type PolicyCommand =
  | {
      readonly kind: 'PublishPolicy';
      readonly policyId: PolicyId;
      readonly policy: Policy;
      readonly digest: Digest;
      readonly author: PersonId;
      /** Given with a reason, which goes to the vault: how long a weaker version is to be in force. */
      readonly weakerForMs?: number;
    }
  | { readonly kind: 'AgreeToPolicy'; readonly policyId: PolicyId; readonly digest: Digest };

/** Folds one event into a policy. */
export function evolvePolicy(state: PolicyState | null, event: PolicyEvent): PolicyState {
  if (event.kind === 'policy_agreed') {
    if (state?.proposed === undefined) throw new Error('invariant broken: policy_agreed without a proposal');
    const { proposed, ...before } = state;
    return { ...before, current: proposed, stronger: enduring(before) };
  }
  const { kind, v: _v, id, edits: _edits, ...version } = event;
  if (kind === 'policy_published') return { id, name: version.policy.name, current: version };
  if (state === null) throw new Error('invariant broken: policy_proposed on a policy that was never published');
  return { ...state, proposed: version };
}

/** The version that promotions open with: a weaker one only until its end. */
export function versionInForce({ current, stronger }: PolicyState, now: number): PolicyVersion {
  return current.until !== undefined && current.until <= now && stronger !== undefined ? stronger : current;
}

/** The version that stays: edits are compared with it, so that an exception never becomes the measure. */
export function enduring({ current, stronger }: Pick<PolicyState, 'current' | 'stronger'>): PolicyVersion {
  return stronger ?? current;
}

/** What a publication is decided with beside the policy itself. */
export type PolicyScene = Pick<Scene, 'now' | 'actor' | 'lentBy' | 'authority' | 'calendar' | 'people' | 'policies'>;

/** Decides a command about a policy. */
export function decidePolicy(
  state: PolicyState | null,
  command: PolicyCommand,
  scene: PolicyScene,
): readonly PolicyEvent[] | Refusal {
  return command.kind === 'PublishPolicy' ? publish(state, command, scene) : agree(state, command, scene);
}

type Publish = Extract<PolicyCommand, { kind: 'PublishPolicy' }>;

/** The same content twice is the same version; a weaker one only waits, until an administrator agrees. */
function publish(state: PolicyState | null, command: Publish, scene: PolicyScene): readonly PolicyEvent[] | Refusal {
  const { policy, digest, author } = command;
  if (state !== null && digest === (state.proposed ?? state.current).digest) return [];
  if (state !== null && state.name !== policy.name)
    return refusal('policy_invalid', `expected the name ${state.name}, got ${policy.name}`);
  const problem = policyProblem(policy)?.message ?? freezeProblem(policy, scene.calendar);
  if (problem !== null) return refusal('policy_invalid', problem);
  const electorate = { people: Object.values(scene.people), author, authority: scene.authority };
  const refused = weakerThanBase(policy, scene.policies) ?? unsatisfiable(policy, electorate);
  if (refused !== null) return refused;
  const { lentBy, now } = scene;
  const version = Math.max(0, ...versionsOf(state).map((one) => one.version)) + 1;
  const lent = lentBy === null ? {} : { lentBy };
  const told = { v: 1, id: command.policyId, version, digest, author, ...lent, policy } as const;
  if (state === null) return [{ kind: 'policy_published', ...told }];
  const edits = comparePolicies(enduring(state).policy, policy);
  if (strengthOf(edits) !== 'weaker') return [{ kind: 'policy_published', ...told, edits }];
  const { weakerForMs } = command;
  if (weakerForMs === undefined)
    return refusal('reason_required', `expected a reason and an end for a weaker policy, got ${editWords(edits)}`, {
      rule: 'policy/weaker',
    });
  if (weakerForMs > weakerMsMax)
    return refusal('policy_invalid', `expected a weaker policy to end within 90 days, got ${weakerForMs} ms`);
  return [{ kind: 'policy_proposed', ...told, until: now + weakerForMs, edits }];
}

function agree(
  state: PolicyState | null,
  { digest }: Extract<PolicyCommand, { kind: 'AgreeToPolicy' }>,
  { now, actor, lentBy }: PolicyScene,
): readonly PolicyEvent[] | Refusal {
  if (state === null) return refusal('not_found', 'expected a known policy');
  const { proposed } = state;
  if (proposed === undefined && state.current.digest === digest) return [];
  if (proposed === undefined) return refusal('not_found', 'expected a weaker version that waits, got none');
  if (proposed.digest !== digest)
    return refusal('stale_evidence', 'the version that waits is another than the one you were shown: look again');
  if (actor.kind !== 'human') return refusal('not_permitted', 'expected a human to agree', { rule: 'humans_only' });
  if ([proposed.author, proposed.lentBy].includes(actor.id))
    return refusal('own_work', 'you wrote this version, so somebody else must agree', {
      rule: 'separation/policy_author',
    });
  const lent = separateLent(lentBy);
  if (lent !== null) return lent;
  if ((proposed.until ?? now) <= now) return refusal('expired', 'the time for which this version was asked is over');
  return [{ kind: 'policy_agreed', v: 1, id: state.id, version: proposed.version, by: actor.id }];
}

/**
 * No policy is weaker than what it extends or than the baseline, at any time: the policy itself is held against those above
 * it, and every version that may be in force below it is held against the policy.
 */
function weakerThanBase(policy: Policy, policies: readonly PolicyState[]): Refusal | null {
  const others = policies.filter(({ name }) => name !== policy.name);
  const rival = policy.baseline === true ? others.find((other) => enduring(other).policy.baseline === true) : undefined;
  if (rival !== undefined) return refusal('exists', `expected one baseline in a workspace, got ${rival.name} already`);
  if (policy.extends !== undefined && others.every(({ name }) => name !== policy.extends))
    return refusal('policy_unknown', `expected a published policy to extend, got ${policy.extends}`);
  for (const other of others) {
    const base = enduring(other).policy;
    const above = isAbove(base, policy) ? weakened(base, policy) : null;
    if (above !== null) return above;
    const below = versionsOf(other).map((version) => version.policy);
    const left = below.filter((one) => isAbove(policy, one)).map((one) => weakened(policy, one));
    const first = left.find((one) => one !== null);
    if (first !== undefined) return first;
  }
  return null;
}

/** A baseline is above every policy of its environment, any other policy above those that name it. */
function isAbove(base: Policy, policy: Policy): boolean {
  return policy.extends === base.name || (base.baseline === true && base.environment === policy.environment);
}

/** What a policy is allowed to differ in from the one above it. */
const ownFields = new Set(['policy', 'extends', 'baseline']);

function weakened(base: Policy, policy: Policy): Refusal | null {
  const edit = comparePolicies(base, policy).find(
    ({ field, strength }) => strength === 'weaker' && !ownFields.has(field),
  );
  if (edit === undefined) return null;
  const message = `expected ${policy.name} to be at least as strong as ${base.name} in ${edit.field} (${edit.from}), got ${edit.to}`;
  return refusal('policy_weaker', message, { rule: `policy/${edit.field}` });
}

function versionsOf(state: PolicyState | null): readonly PolicyVersion[] {
  return state === null ? [] : [state.current, state.stronger, state.proposed].filter((one) => one !== undefined);
}

function editWords(edits: readonly PolicyEdit[]): string {
  const weaker = edits.filter(({ strength }) => strength === 'weaker');
  return weaker.map(({ field, from, to }) => `${field} from ${from} to ${to}`).join('; ');
}
