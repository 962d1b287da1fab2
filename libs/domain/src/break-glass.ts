import type { ApproveBreakGlass, AskBreakGlass, ReviewBreakGlass } from './command.ts';
import { lacksFreshLogin } from './door.ts';
import { glassApprovalsMin } from './glass.ts';
import { currentGate, next } from './next.ts';
import { ruleOf } from './policy.ts';
import { type PromotionState, artifactOf } from './promotion.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Decided, Plan, Scene } from './scene.ts';
import { begin, focus } from './step.ts';

/** An emergency that lasts longer has time for an approval. */
export const glassMinutesMax = 60;
/** Asks for it at the approval gate, or behind it while a freeze keeps the candidate away. */
export function askBreakGlass(scene: Scene, command: AskBreakGlass): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const no = lacksFreshLogin(scene.door, scene.now) ?? unbreakable(plan, scene) ?? unaskable(state, command, scene);
  if (no !== null) return plan.refuse(no);
  const until = scene.now + command.minutes * 60_000;
  plan.tell(state.id, { kind: 'glass_asked', v: 1, by: scene.actor.id, artifact: artifactOf(state), until });
  return plan.answer({ kind: 'done' });
}

/** One of the two. With the second the glass breaks, and every surface shows it until it is reviewed. */
export function approveBreakGlass(scene: Scene, command: ApproveBreakGlass): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const no = lacksFreshLogin(scene.door, scene.now) ?? unbreakable(plan, scene) ?? unapprovable(state, command, scene);
  if (no !== null) return plan.refuse(no);
  plan.tell(state.id, { kind: 'glass_approved', v: 1, by: scene.actor.id });
  if ((focus(plan).glass?.approvedBy.length ?? 0) >= glassApprovalsMin) {
    plan.tell(state.id, { kind: 'glass_broken', v: 1, artifact: artifactOf(state) });
    plan.ask('production', { move: 'owe_review', promotion: state.id });
    plan.wakes.add(state.id);
  }
  return plan.answer({ kind: 'onward', onward: next(focus(plan), scene.now) });
}

/** Somebody who had no part in it has looked at what was done. Until then this prototype's glass stays whole. */
export function reviewBreakGlass(scene: Scene, command: ReviewBreakGlass): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const fresh = lacksFreshLogin(scene.door, scene.now);
  if (fresh !== null) return plan.refuse(fresh);
  const owed = plan.lanes.production?.reviewOwed;
  if (owed !== command.promotion)
    return plan.refuse(refusal('gate_closed', 'expected a broken glass to review, got none'));
  const { glass } = state;
  const took = [glass?.askedBy, ...(glass?.approvedBy ?? [])].includes(scene.actor.id);
  if (took) {
    const message = 'you had a part in it, so somebody else must review it';
    return plan.refuse(refusal('own_work', message, { rule: 'separation/break_glass' }));
  }
  plan.ask('production', { move: 'review', promotion: state.id, by: scene.actor.id });
  return plan.answer({ kind: 'done' });
}

function unbreakable(plan: Plan, { actor }: Scene): Refusal | null {
  const state = focus(plan);
  if (state.outcome !== null || state.undo !== null)
    return refusal('promotion_ended', 'expected a promotion that has not ended');
  if (ruleOf(state.policy, 'approval')?.breakGlass === undefined)
    return refusal('not_permitted', 'the policy of this promotion has no glass to break', {
      rule: 'policy/breakGlass',
    });
  if (actor.kind !== 'human') return refusal('not_permitted', 'only a human breaks the glass', { rule: 'humans_only' });
  // Everything before people are asked has passed: findings, builds and rehearsals are not what an emergency skips.
  const at = currentGate(state)?.name;
  if ((at !== 'approval' && at !== 'canary') || state.productionAt !== null)
    return refusal('gate_closed', 'expected a candidate that only people or a freeze keep from its first users');
  const owed = plan.lanes.production?.reviewOwed;
  return owed == null
    ? null
    : refusal('review_due', 'the last broken glass of this prototype has not been reviewed yet', {
        rule: 'glass/review',
      });
}

function unaskable(state: PromotionState, command: AskBreakGlass, { now }: Scene): Refusal | null {
  const { minutes } = command;
  if (!(minutes >= 1 && minutes <= glassMinutesMax))
    return refusal('until_invalid', `expected 1 to ${glassMinutesMax} minutes, got ${minutes}`);
  const { glass } = state;
  const open = glass !== undefined && glass.endedAt === null && glass.usedAt === null && glass.until > now;
  return open ? refusal('exists', 'the glass of this promotion has been asked for already') : null;
}

function unapprovable(state: PromotionState, command: ApproveBreakGlass, { actor }: Scene): Refusal | null {
  const { glass } = state;
  if (glass === undefined || glass.endedAt !== null || glass.brokenAt !== null)
    return refusal('gate_closed', 'expected somebody to have asked for it, and nobody to have broken it');
  if (command.artifact !== artifactOf(state))
    return refusal('stale_evidence', 'what you were shown is no longer current: look again and decide on that');
  if (glass.askedBy === actor.id)
    return refusal('own_work', 'you asked for it, so two others must agree', { rule: 'separation/asker' });
  return glass.approvedBy.includes(actor.id) ? refusal('already_decided', 'you have agreed to it already') : null;
}
