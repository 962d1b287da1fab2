import type { Look, PromotionCommand } from './command.ts';
import { currentGate } from './next.ts';
import { leaseMs } from './lane.ts';
import { paceOf } from './pace.ts';
import { pinnedRule } from './policy.ts';
import { findGate } from './promotion.ts';
import { invariant, refusal } from './refusal.ts';
import type { Decided, Plan, Scene } from './scene.ts';
import { begin, focus } from './step.ts';

/** Moves the rehearsal's share in staging; production's share is moved by looks alone. */
export function weigh(scene: Scene, command: Extract<PromotionCommand, { kind: 'Weigh' }>): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  if (state.fence !== command.fence)
    return plan.refuse(refusal('stale_fence', `expected fence ${state.fence}, got ${command.fence}`));
  if (command.environment !== 'staging')
    return plan.refuse(refusal('not_permitted', 'only a look moves the share in production'));
  const refused = plan.ask('staging', { move: 'weigh', promotion: state.id, percent: command.percent });
  return refused === null ? steered(plan, 'staging') : plan.refuse(refused);
}

/**
 * One look of the judge: it renews the lease, moves the share, or condemns. Condemning writes the weight 0 in this very
 * transaction, so that nothing after it can be lost.
 */
export function look(scene: Scene, command: Look): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const lane = plan.lanes.production;
  invariant(lane !== null, 'expected the production lane in the scene');
  if (state.fence !== command.fence)
    return plan.refuse(refusal('stale_fence', `expected fence ${state.fence}, got ${command.fence}`));
  // Another gate is open again when a waiver has ended: the lane is held, and this look renews nothing.
  const looking =
    currentGate(state)?.name === 'canary' && findGate(state, 'canary')?.status === 'claimed' && state.undo === null;
  const mine = lane.owner === state.id && lane.canary?.promotion === state.id;
  if (!looking || !mine) return steered(plan, 'production', false);
  if (lane.fence.counter !== command.laneFence)
    return plan.refuse(refusal('stale_fence', `expected lane fence ${lane.fence.counter}, got ${command.laneFence}`));
  const leftMs = leaseLeftMs(command, scene.now);
  switch (command.verdict.kind) {
    case 'hold':
      plan.leaseMs = command.fresh && lane.hold === null ? leftMs : 0;
      return steered(plan, 'production');
    case 'advance':
      // Held up for longer than a lease: by now users may be off it, and nobody has seen why.
      return leftMs === 0
        ? steered(plan, 'production')
        : advance(plan, command.verdict.percent, { weight: lane.weight, leftMs });
    case 'condemn': {
      const { snapshot, reasons } = command.verdict;
      plan.tell(state.id, { kind: 'canary_condemned', v: 1, snapshot, reasons });
      stopUsing(plan, scene, { outcome: 'rolled_back', why: 'condemned' });
      return steered(plan, 'production', false);
    }
  }
}

/** Orders the way back: weight 0 and, for a rollback, a hold, together with the fence that shuts out whoever still acts. */
export function stopUsing(
  plan: Plan,
  scene: Scene,
  order: { outcome: 'rolled_back' | 'cancelled'; why: 'condemned' | 'person' | 'workflow' },
): void {
  const state = focus(plan);
  const by = scene.actor.id;
  plan.tell(state.id, { kind: 'undo_ordered', v: 1, outcome: order.outcome, why: order.why, by });
  plan.ask('production', { move: 'weigh', promotion: state.id, percent: 0 });
  if (order.outcome === 'rolled_back') plan.ask('production', { move: 'hold', reason: 'rolled_back', by });
  plan.wakes.add(state.id);
}

/** What is left of a lease that began when the data were seen. */
function leaseLeftMs({ seenAt = Number.POSITIVE_INFINITY }: Look, now: number): number {
  return Math.max(0, leaseMs - Math.max(0, now - seenAt));
}

/** Step by step as the pinned policy says: a judge that asks for more than its turn is refused. */
function advance(
  plan: Plan,
  percent: number,
  { weight, leftMs }: { readonly weight: number; readonly leftMs: number },
): Decided {
  const state = focus(plan);
  const due = pinnedRule(state.policy, 'canary').weights.find((one) => one > weight);
  if (percent !== due)
    return plan.refuse(
      refusal('weight_not_due', `expected the policy's next weight ${due ?? '(none)'}, got ${percent}`),
    );
  // A judge that has not heard of it yet: the share stays, and what it saw keeps users where they are.
  if (paceOf(state) === 'paused') {
    plan.leaseMs = plan.lanes.production?.hold === null ? leftMs : 0;
    return steered(plan, 'production');
  }
  const refused = plan.ask('production', { move: 'weigh', promotion: state.id, percent });
  if (refused !== null) return steered(plan, 'production', false);
  plan.tell(state.id, { kind: 'canary_weighed', v: 1, percent });
  plan.leaseMs = leftMs;
  return steered(plan, 'production');
}

function steered(plan: Plan, environment: 'staging' | 'production', going = true): Decided {
  const lane = plan.lanes[environment];
  invariant(lane !== null, `expected the ${environment} lane in the scene`);
  const { weight, fence } = lane;
  const pace = paceOf(focus(plan));
  return plan.answer({ kind: 'steered', weight, laneFence: fence.counter, going, pace, at: plan.now });
}
