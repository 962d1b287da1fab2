import { isBlocked } from './gate.ts';
import { type GateName, ruleOf } from './policy.ts';
import { type PromotionState, findGate, gateIn } from './promotion.ts';
import type { PromotionEvent } from './promotion-event.ts';
import type { Plan } from './scene.ts';
import { isSame } from './standing-waiver.ts';
import { letsThrough, worse } from './verdict.ts';

type Why = Extract<PromotionEvent, { kind: 'gate_reopened' }>['why'];

/**
 * Runs gates anew on the same files. What becomes of the votes that rest on them says the pinned policy: void at once, or
 * kept until the new evidence turns out to be worse.
 */
export function reopenGates(plan: Plan, names: readonly GateName[], why: Why): void {
  const { promotion: state } = plan;
  if (state === null || names.length === 0) return;
  const approval = findGate(state, 'approval');
  const asked = state.gates.findIndex((gate) => gate.name === 'approval');
  // What runs behind the approval was not shown to anybody who voted.
  const isShown = state.gates.slice(0, Math.max(0, asked)).some((gate) => names.includes(gate.name));
  const isAsked = isShown && approval !== undefined && approval.status !== 'pending';
  const keeps = isAsked && !isBlocked(approval.status) && ruleOf(state.policy, 'approval')?.onRefresh === 'keep';
  for (const gate of names) plan.tell(state.id, { kind: 'gate_reopened', v: 1, gate, why, ...(keeps && { keeps }) });
  if (isAsked && !keeps) plan.tell(state.id, { kind: 'gate_reopened', v: 1, gate: 'approval', why });
}

/** After a report: equal or better and nothing new keeps the votes, and the entry names both digests; else they are void. */
export function keepOrVoid(plan: Plan, name: GateName, digestNow: (state: PromotionState) => `sha256:${string}`): void {
  const { promotion: state } = plan;
  if (state === null) return;
  const { earlier, verdict, reasons } = gateIn(state, name);
  const approval = findGate(state, 'approval');
  if (earlier === undefined || verdict === null || approval?.evidenceDigest == null) return;
  const asGood = letsThrough(verdict) && worse(verdict, earlier.verdict) === earlier.verdict;
  const nothingNew = reasons.every((reason) => earlier.reasons.some((known) => isSame(known, reason)));
  if (asGood && nothingNew) {
    const [before, after] = [approval.evidenceDigest, digestNow(state)];
    plan.tell(state.id, { kind: 'evidence_refreshed', v: 1, gate: 'approval', from: name, before, after });
  } else plan.tell(state.id, { kind: 'gate_reopened', v: 1, gate: 'approval', why: 'stale_evidence' });
}
