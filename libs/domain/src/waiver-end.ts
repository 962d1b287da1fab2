import { gateIn } from './promotion.ts';
import type { Plan } from './scene.ts';
import { standingWaivers } from './standing-waiver.ts';

/**
 * A waiver that is over is a fact of the clock like an expiry. Its gate stands as it did before; votes that rested on it
 * are void; and a running canary is held, so that nobody new meets a risk that nobody owns any more. In production it is
 * told only with the lane locked: every look and every claim has it, and without either no share is renewed.
 */
export function endWaivers(
  plan: Plan,
  { now, actor }: { readonly now: number; readonly actor: { readonly id: `psn_${string}` } },
): void {
  const state = plan.promotion;
  if (state === null) return;
  const inProduction = state.productionAt !== null;
  if (inProduction && plan.lanes.production === null) return;
  const due = standingWaivers(state).filter(({ until }) => until <= now);
  for (const { id, gate } of due) {
    const waived = gateIn(plan.promotion ?? state, gate).verdict === 'waived';
    plan.tell(state.id, { kind: 'waiver_ended', v: 1, gate, waiver: id });
    if (!waived) continue;
    if (inProduction) plan.ask('production', { move: 'hold', reason: 'waiver_ended', by: actor.id });
    else if (state.gates.some(({ name, status }) => name === 'approval' && status !== 'pending'))
      plan.tell(state.id, { kind: 'gate_reopened', v: 1, gate: 'approval', why: 'waiver_ended' });
  }
}
