import { lossOf } from './decision.ts';
import { isBlocked } from './gate.ts';
import { reopenGates } from './refresh.ts';
import { ruleOf } from './policy.ts';
import { eligibleVotes, lostVotes } from './eligible-vote.ts';
import { matchQuorum } from './quorum.ts';
import type { Plan, Scene } from './scene.ts';

/**
 * Evidence that grew too old before production is gathered again, and the votes that rested on it are void:
 * an approval is bound to the evidence that was shown. True when a gate was reopened.
 */
export function reopenStaleEvidence(plan: Plan, scene: Scene): boolean {
  const state = plan.promotion;
  if (state === null) return false;
  const stale = state.gates.filter(
    (gate) =>
      gate.evidence.length > 0 && !isBlocked(gate.status) && gate.since + state.policy.evidenceAgeMaxMs < scene.now,
  );
  reopenGates(
    plan,
    stale.map(({ name }) => name),
    'stale_evidence',
  );
  return stale.length > 0;
}

/** Rights are looked at once more before users are touched: a lost role voids its vote and may reopen the gate. */
export function reopenLostQuorum(plan: Plan, scene: Scene): boolean {
  const state = plan.promotion;
  const rule = state === null ? undefined : ruleOf(state.policy, 'approval');
  if (state === null || rule === undefined) return false;
  if (matchQuorum(rule.requirements, eligibleVotes(state, scene)).met) return false;
  for (const decision of lostVotes(state, scene)) plan.tell(state.id, lossOf(decision));
  plan.tell(state.id, { kind: 'gate_reopened', v: 1, gate: 'approval', why: 'role_lost' });
  return true;
}
