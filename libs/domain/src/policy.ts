import { type ApprovalRule, approvalProblem } from './approval-rule.ts';
import type { Digest, PersonId, PolicyId } from './id.ts';
import type { Calendar, FreezeWindow } from './freeze.ts';
import type { Environment } from './lane.ts';
import { type Refusal, invariant, refusal } from './refusal.ts';

/** The gates that exist. The order in which a promotion meets them is its policy's. */
export const gateNames = ['readiness', 'build', 'scan', 'evaluation', 'staging', 'approval', 'canary'] as const;
/** One of them. */
export type GateName = (typeof gateNames)[number];

/** What every machine gate's rule has. */
export interface MachineRule {
  /** Breakages tolerated before the verdict is inconclusive: a crash is retried, a no is not. */
  readonly attemptsMax: number;
}

/** One gate as the policy asks for it. */
export type GateRule =
  | ({ readonly gate: 'readiness' } & MachineRule)
  | ({ readonly gate: 'build' } & MachineRule)
  | ({ readonly gate: 'scan' } & MachineRule)
  | ({ readonly gate: 'staging' } & MachineRule)
  | ({ readonly gate: 'evaluation'; readonly bar: number; readonly repeats: number } & MachineRule)
  | ({ readonly gate: 'approval' } & ApprovalRule)
  | ({ readonly gate: 'canary' } & CanaryRule & MachineRule);

/** How a canary ramps and when its judge may conclude; formulas and defaults come from the design of the canary. */
export interface CanaryRule {
  /** Percent steps, growing; after the last the release settles once it is proven safe. */
  readonly weights: readonly number[];
  readonly lookMs: number;
  readonly dwellMs: number;
  readonly deadlineMs: number;
  readonly alpha: number;
  readonly beta: number;
  readonly rateRatioMax: number;
}

/** A policy as pinned by a promotion: later edits cannot reach it. */
export interface Policy {
  readonly name: string;
  readonly environment: Environment;
  /** Evidence older than this is stale at the first production claim. */
  readonly evidenceAgeMaxMs: number;
  readonly gates: readonly GateRule[];
  /** When nothing new goes to users. */
  readonly freeze?: readonly FreezeWindow[];
}

/** One published version. */
export interface PolicyVersion {
  readonly version: number;
  readonly digest: Digest;
  readonly author: PersonId;
  /** Who issued the author's token, when it was somebody else. */
  readonly lentBy?: PersonId;
  readonly policy: Policy;
}

/** A named policy and its newest version; older versions stay in the journal. */
export interface PolicyState {
  readonly id: PolicyId;
  readonly name: string;
  readonly current: PolicyVersion;
}

/** What may happen to a policy. */
export type PolicyEvent = {
  readonly kind: 'policy_published';
  readonly v: 1;
  readonly id: PolicyId;
  readonly version: number;
  readonly digest: Digest;
  readonly author: PersonId;
  readonly lentBy?: PersonId;
  readonly policy: Policy;
};

/** What may be asked about a policy. `digest` addresses the stored source document. */
export type PolicyCommand = {
  readonly kind: 'PublishPolicy';
  readonly policyId: PolicyId;
  readonly policy: Policy;
  readonly digest: Digest;
  readonly author: PersonId;
};

/** Folds one event into a policy. */
export function evolvePolicy(_state: PolicyState | null, event: PolicyEvent): PolicyState {
  const { version, digest, author, lentBy, policy } = event;
  const lent = lentBy === undefined ? {} : { lentBy };
  return { id: event.id, name: policy.name, current: { version, digest, author, ...lent, policy } };
}

/** Decides a publication: the same content twice is the same version. */
export function decidePolicy(
  state: PolicyState | null,
  command: PolicyCommand,
  { lentBy, calendar }: { readonly lentBy: PersonId | null; readonly calendar: Calendar },
): readonly PolicyEvent[] | Refusal {
  if (state?.current.digest === command.digest) return [];
  if (state !== null && state.name !== command.policy.name) {
    return refusal('policy_invalid', `expected the name ${state.name}, got ${command.policy.name}`);
  }
  const problem = policyProblem(command.policy) ?? freezeProblem(command.policy, calendar);
  if (problem !== null) return refusal('policy_invalid', problem);
  const { digest, author, policy } = command;
  const version = (state?.current.version ?? 0) + 1;
  const lent = lentBy === null ? {} : { lentBy };
  return [{ kind: 'policy_published', v: 1, id: command.policyId, version, digest, author, ...lent, policy }];
}

/** A window that nobody could place in time would freeze nothing, unseen. */
export function freezeProblem({ freeze = [] }: Policy, calendar: Calendar): string | null {
  const problems = freeze.map((window, index) => ({ index, problem: calendar.windowProblem(window) }));
  const first = problems.find(({ problem }) => problem !== null);
  return first === undefined ? null : `freeze window ${first.index + 1}: ${first.problem}`;
}

/** What the shape of a document cannot say: order, uniqueness and bounds between fields. Null: the policy makes sense. */
export function policyProblem(policy: Policy): string | null {
  const names = policy.gates.map((rule) => rule.gate);
  if (names.length === 0) return 'expected at least one gate, got none';
  if (new Set(names).size !== names.length) return 'expected each gate once';
  if (names.indexOf('canary') !== -1 && names.indexOf('canary') !== names.length - 1)
    return 'expected canary as the last gate';
  if (names.slice(0, Math.max(0, names.indexOf('build'))).some((name) => name !== 'readiness'))
    return 'expected build before all gates but readiness: what it makes is what they look at';
  if (names.includes('approval') && !names.includes('canary'))
    return 'expected a canary after approval: approval admits to production';
  for (const rule of policy.gates) {
    const problem = ruleProblem(rule, policy);
    if (problem !== null) return problem;
  }
  return null;
}

function ruleProblem(rule: GateRule, policy: Policy): string | null {
  switch (rule.gate) {
    case 'approval':
      return approvalProblem(rule, policy.evidenceAgeMaxMs);
    case 'canary':
      return rule.weights.every((weight, index) => weight > (rule.weights[index - 1] ?? 0) && weight <= 100)
        ? null
        : 'expected canary weights to grow from above 0 to at most 100';
    default:
      return null;
  }
}

/** The rule of one gate; absent when the policy does not ask for it. */
export function ruleOf<Name extends GateName>(
  policy: Policy,
  name: Name,
): Extract<GateRule, { gate: Name }> | undefined {
  return policy.gates.find((rule): rule is Extract<GateRule, { gate: Name }> => rule.gate === name);
}

/** The rule of a gate that the promotion already has, hence must exist. */
export function pinnedRule<Name extends GateName>(policy: Policy, name: Name): Extract<GateRule, { gate: Name }> {
  const rule = ruleOf(policy, name);
  invariant(rule !== undefined, `the pinned policy has no gate ${name}`);
  return rule;
}
