import type { PromotionCommand } from './command.ts';
import { currentGate } from './next.ts';
import { closedDoor } from './door.ts';
import { isSteerable, mayHasten, paceOf } from './pace.ts';
import { pinnedRule } from './policy.ts';
import type { PromotionState } from './promotion.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Decided, Scene } from './scene.ts';
import { begin, focus } from './step.ts';

type Pacing = Extract<PromotionCommand, { readonly kind: 'Pause' | 'Unpause' | 'Advance' }>;

/**
 * A person sets the pace of a canary that users are on. Nothing moves here: the next look of the judge learns the pace from
 * its answer, and until then the journal itself lets no paused share grow. If we die here, the ramp is as it was.
 */
export function pace(scene: Scene, { kind }: Pacing): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const closed = unsteerable(state);
  if (closed !== null) return plan.refuse(closed);
  const by = scene.actor.id;
  const [now, at] = [paceOf(state), { v: 1, gate: 'canary', by } as const];
  switch (kind) {
    case 'Pause':
      if (now !== 'paused') plan.tell(state.id, { kind: 'canary_paused', ...at });
      return plan.answer({ kind: 'done' });
    case 'Unpause':
      if (now === 'paused') plan.tell(state.id, { kind: 'canary_unpaused', ...at });
      return plan.answer({ kind: 'done' });
    case 'Advance': {
      const no = unhastened(state, scene);
      if (no !== null) return plan.refuse(no);
      if (now !== 'hastened') plan.tell(state.id, { kind: 'canary_hastened', ...at, percent: state.weight });
      return plan.answer({ kind: 'done' });
    }
  }
}

/** Before its first users and after its last there is no share to stay at. */
function unsteerable(state: PromotionState): Refusal | null {
  if (state.outcome !== null || state.undo !== null)
    return refusal('promotion_ended', 'expected a canary under way, got a promotion that has ended or goes back');
  const gate = currentGate(state);
  return gate !== null && isSteerable(state, gate)
    ? null
    : refusal('gate_closed', 'expected a canary that users are on: there is no share yet to stay at or to go on from');
}

/** To the policy's next share and never past it; to everybody the judge goes alone, once it has proof. */
function unhastened(state: PromotionState, { lanes, door, now }: Scene): Refusal | null {
  const closed = closedDoor(pinnedRule(state.policy, 'canary'), door, now);
  if (closed !== null) return closed;
  if (paceOf(state) === 'paused')
    return refusal('canary_paused', 'expected a canary that climbs, got a paused one: unpause it first');
  if (lanes.production?.hold != null) return refusal('lane_held', 'the lane is held until a person resumes it');
  if (mayHasten(state)) return null;
  return refusal(
    'weight_not_due',
    `expected a further share below 100 % in the policy, got ${state.weight} % as the last: only proof goes on from there`,
  );
}
