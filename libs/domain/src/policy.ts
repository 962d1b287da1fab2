import { type ApprovalRule, approvalProblem } from './approval-rule.ts';
import { type CanaryRule, canaryProblem } from './canary-rule.ts';
import type { Calendar, FreezeWindow } from './freeze.ts';
import { type Demand, demandProblem } from './demand.ts';
import type { Environment } from './lane.ts';
import { invariant } from './refusal.ts';
import { type WatchRule, watchProblem } from './watch-rule.ts';

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

/** A policy as pinned by a promotion: later edits cannot reach it. */
export interface Policy {
  readonly name: string;
  readonly environment: Environment;
  /** Evidence older than this is stale at the first production claim. */
  readonly evidenceAgeMaxMs: number;
  readonly gates: readonly GateRule[];
  /** When nothing new goes to users. */
  readonly freeze?: readonly FreezeWindow[];
  /** The policy that this one is never weaker than in any field. */
  readonly extends?: string;
  /** Every policy of the workspace is at least as strong as this one. */
  readonly baseline?: true;
  /** What differs for prototypes of a tier; a promotion pins the policy as resolved, so a pinned one has none. */
  readonly tiers?: Readonly<Record<string, Tier>>;
  /** Which gates must run again for what changed since the live version; what is not named asks for all. */
  readonly changes?: Readonly<Partial<Record<ChangeType, readonly GateName[]>>>;
  /** What is looked at while a release is live, and what is done about it; absent: nothing is. */
  readonly watch?: WatchRule;
}

/** What differs for prototypes of one tier: which of the gates they must pass, and who must approve. */
export interface Tier {
  readonly gates?: readonly GateName[];
  readonly requirements?: readonly Demand[];
}

/** What can change between the live version and the next; each stands for one part of a manifest. */
export const changeTypes = ['code', 'model', 'prompt', 'flag', 'data'] as const;
/** One of them. */
export type ChangeType = (typeof changeTypes)[number];

/** What does not make sense in a policy, at the field it is about. */
export interface PolicyProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A window that nobody could place in time would freeze nothing, unseen. */
export function freezeProblem({ freeze = [] }: Policy, calendar: Calendar): string | null {
  const problems = freeze.map((window, index) => ({ index, problem: calendar.windowProblem(window) }));
  const first = problems.find(({ problem }) => problem !== null);
  return first === undefined ? null : `freeze window ${first.index + 1}: ${first.problem}`;
}

/** What the shape of a document cannot say: order, uniqueness and bounds between fields. Null: the policy makes sense. */
export function policyProblem(policy: Policy): PolicyProblem | null {
  const order = orderProblem(policy.gates.map((rule) => rule.gate));
  if (order !== null) return { path: ['gates'], message: order };
  for (const [index, rule] of policy.gates.entries()) {
    const problem = ruleProblem(rule, policy);
    if (problem !== null) return { path: ['gates', index, ...problem.path], message: problem.message };
  }
  if (policy.extends === policy.name) return { path: ['extends'], message: 'expected another policy, got this one' };
  const watched = watchProblem(
    policy.watch,
    policy.gates.map((rule) => rule.gate),
  );
  return watched ?? choiceProblem(policy);
}

function orderProblem(names: readonly GateName[]): string | null {
  if (names.length === 0) return 'expected at least one gate, got none';
  if (new Set(names).size !== names.length) return 'expected each gate once';
  if (names.indexOf('canary') !== -1 && names.indexOf('canary') !== names.length - 1)
    return 'expected canary as the last gate';
  if (names.slice(0, Math.max(0, names.indexOf('build'))).some((name) => name !== 'readiness'))
    return 'expected build before all gates but readiness: what it makes is what they look at';
  if (names.includes('approval') && !names.includes('canary'))
    return 'expected a canary after approval: approval admits to production';
  return null;
}

function ruleProblem(rule: GateRule, policy: Policy): PolicyProblem | null {
  switch (rule.gate) {
    case 'approval':
      return approvalProblem(rule, policy.evidenceAgeMaxMs);
    case 'canary':
      return canaryProblem(rule);
    default:
      return null;
  }
}

/** Without these a promotion would be another: what is built, who agrees, and how users get it. */
const everNeeded: readonly GateName[] = ['build', 'approval', 'canary'];

/** A tier or a change chooses among the gates of the policy; it never chooses none, and never leaves people out. */
function choiceProblem(policy: Policy): PolicyProblem | null {
  for (const [name, tier] of Object.entries(policy.tiers ?? {})) {
    const chosen = chosenProblem(policy, tier.gates);
    if (chosen !== null) return { path: ['tiers', name, 'gates'], message: chosen };
    const asks = tier.requirements;
    const asked = asks === undefined ? null : (noApproval(policy) ?? demandProblem(asks));
    if (asked !== null) return { path: ['tiers', name, 'requirements'], message: asked };
  }
  for (const [type, names] of Object.entries(policy.changes ?? {})) {
    const message = chosenProblem(policy, names);
    if (message !== null) return { path: ['changes', type], message };
  }
  return null;
}

function noApproval(policy: Policy): string | null {
  return ruleOf(policy, 'approval') === undefined
    ? 'expected an approval gate to have requirements for, got none'
    : null;
}

function chosenProblem({ gates }: Policy, chosen: readonly GateName[] | undefined): string | null {
  if (chosen === undefined) return null;
  const names = gates.map((rule) => rule.gate);
  const foreign = chosen.find((name) => !names.includes(name));
  if (foreign !== undefined) return `expected gates of this policy, got ${foreign}`;
  const left = names.find((name) => everNeeded.includes(name) && !chosen.includes(name));
  return left === undefined ? null : `expected ${left} among the gates, got ${chosen.join(', ') || 'none'}`;
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
