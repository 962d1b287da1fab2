import { type GateState, earliestOf, isBlocked } from './gate.ts';
import { glassEnd } from './glass.ts';
import { type GateName, type Policy, ruleOf } from './policy.ts';
import { looksAgainAt } from './reminder.ts';
import { nextWaiverEnd } from './standing-waiver.ts';
import type { Outcome, PromotionState } from './promotion.ts';

/** The next thing a promotion needs: the order of stages exists here and nowhere else. */
export type Onward =
  | { readonly kind: 'run'; readonly step: Step }
  | { readonly kind: 'wait'; readonly until: number | null; readonly why: WaitReason }
  | { readonly kind: 'end'; readonly outcome: Outcome };

/** What an activity can be asked to do. */
export type Step = Exclude<GateName, 'approval'> | 'undo';

/** Why nothing is to be done right now. */
export const waitReasons = [
  'waiting_for_human',
  'blocked',
  'retry',
  'lane_busy',
  'lane_held',
  'parked',
  'limit_reached',
  'frozen',
] as const;
/** One of them. */
export type WaitReason = (typeof waitReasons)[number];

/** A blocked promotion is not forgotten: after this long without a fix or a re-run it expires. */
export const blockedExpiresMs = 30 * 24 * 3_600_000;

/** What to do next. Pure over the state; time only turns a due retry into work. */
export function next(state: PromotionState, now: number): Onward {
  if (state.undo !== null) return { kind: 'run', step: 'undo' };
  if (state.outcome !== null) return { kind: 'end', outcome: state.outcome };
  const gate = state.gates.find((one) => one.status !== 'passed');
  return gate === undefined
    ? { kind: 'end', outcome: 'live' }
    : untilExceptionsEnd(state, nextAt(gate, state.policy, now));
}

/** Whatever is waited for, somebody looks when a waiver or a broken glass ends. */
export function exceptionsEnd(state: PromotionState): number | null {
  return earliestOf([nextWaiverEnd(state), glassEnd(state)]);
}

function untilExceptionsEnd(state: PromotionState, onward: Onward): Onward {
  return onward.kind === 'wait' ? { ...onward, until: earliestOf([onward.until, exceptionsEnd(state)]) } : onward;
}

function nextAt(gate: GateState, policy: Policy, now: number): Onward {
  if (isBlocked(gate.status)) return { kind: 'wait', until: deadlineOf(gate), why: 'blocked' };
  if (gate.name === 'approval' || gate.status === 'waiting')
    return { kind: 'wait', until: looksAgainAt(gate, ruleOf(policy, 'approval') ?? {}), why: 'waiting_for_human' };
  if (gate.status === 'errored' && (gate.retryAt ?? 0) > now)
    return { kind: 'wait', until: gate.retryAt, why: 'retry' };
  return { kind: 'run', step: gate.name };
}

/** When a gate expires by itself; null while it is the machine's turn. */
export function deadlineOf(gate: GateState): number | null {
  if (gate.status === 'waiting') return gate.expiresAt;
  return isBlocked(gate.status) ? gate.since + blockedExpiresMs : null;
}

/** The gate a promotion is at: the first that has not passed, or none when all have. */
export function currentGate(state: PromotionState): GateState | null {
  return state.gates.find((gate) => gate.status !== 'passed') ?? null;
}
