import type { PromotionCommand } from './command.ts';
import { isBlocked } from './gate.ts';
import { next } from './next.ts';
import { findGate } from './promotion.ts';
import { reopenGates } from './refresh.ts';
import { refusal } from './refusal.ts';
import type { Decided, Scene } from './scene.ts';
import { stopUsing } from './steering.ts';
import { begin, focus, openIfHuman } from './step.ts';

/** Stops a promotion. Before production it simply ends; in production it goes back first. */
export function cancel(scene: Scene, command: Extract<PromotionCommand, { kind: 'Cancel' }>): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  if (state.outcome !== null)
    return plan.refuse(refusal('promotion_ended', `this promotion has ended: ${state.outcome}`));
  if (state.undo !== null) return plan.answer({ kind: 'done' });
  plan.wakes.add(command.promotion);
  const owns = plan.lanes.production?.owner === state.id || plan.lanes.staging?.owner === state.id;
  if (owns) {
    const why = scene.actor.kind === 'human' ? 'person' : 'workflow';
    stopUsing(plan, scene, { outcome: 'cancelled', why });
  } else {
    plan.ask('production', { move: 'release', promotion: state.id });
    plan.tell(state.id, { kind: 'promotion_ended', v: 1, outcome: 'cancelled' });
  }
  return plan.answer({ kind: 'done' });
}

/** Rolls back, during the canary or after it went live. Needs nothing but PostgreSQL. */
export function rollback(scene: Scene): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  if (state.undo !== null) return plan.answer({ kind: 'done' });
  if (state.outcome === 'live') {
    const refused = plan.ask('production', { move: 'restore', promotion: state.id });
    if (refused !== null) return plan.refuse(refused);
    plan.ask('production', { move: 'hold', reason: 'rolled_back', by: scene.actor.id });
    plan.tell(state.id, { kind: 'promotion_ended', v: 1, outcome: 'rolled_back' });
    return plan.answer({ kind: 'done' });
  }
  if (state.outcome !== null)
    return plan.refuse(refusal('promotion_ended', `this promotion has ended: ${state.outcome}`));
  if (plan.lanes.production?.owner !== state.id) {
    return plan.refuse(refusal('nothing_to_roll_back', 'this candidate serves no users: cancel the promotion instead'));
  }
  stopUsing(plan, scene, { outcome: 'rolled_back', why: 'person' });
  return plan.answer({ kind: 'done' });
}

/** Runs a blocked gate again on the same digests; the votes that rested on its evidence are void. */
export function rerun(scene: Scene, command: Extract<PromotionCommand, { kind: 'Rerun' }>): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  if (state.outcome !== null || state.undo !== null)
    return plan.refuse(refusal('promotion_ended', 'this promotion has ended'));
  const gate = findGate(state, command.gate);
  const mayRun =
    gate !== undefined && (isBlocked(gate.status) || (gate.status === 'passed' && gate.name !== 'approval'));
  if (!mayRun)
    return plan.refuse(refusal('gate_closed', 'expected a gate that is blocked, or a check that has passed'));
  if (state.productionAt !== null && gate.name !== 'canary')
    return plan.refuse(refusal('production_started', 'users are on it: new evidence could not be agreed to any more'));
  reopenGates(plan, [gate.name], 'rerun');
  openIfHuman(plan, scene);
  plan.wakes.add(state.id);
  return plan.answer({ kind: 'onward', onward: next(focus(plan), scene.now) });
}
