import type { AskWaiver, ApproveWaiver } from './command.ts';
import { closedDoor } from './door.ts';
import { type GateState, isBlocked } from './gate.ts';
import { type GateName, pinnedRule, ruleOf } from './policy.ts';
import { type PromotionState, findGate } from './promotion.ts';
import { type Refusal, refusal } from './refusal.ts';
import type { Decided, Scene } from './scene.ts';
import { type Waiver, isSame, openReasons } from './standing-waiver.ts';
import { begin, focus, openIfHuman } from './step.ts';

const dayMs = 86_400_000;
/** More risks than anybody can oversee at one promotion; each is in its state and in the history for good. */
const waiversMax = 50;

/**
 * Gates whose no can be waived. A build that failed has made nothing to look at, a canary that could not tell has proved
 * nothing to waive, and people are not overruled.
 */
export const waivableGates: ReadonlySet<GateName> = new Set(['readiness', 'scan', 'evaluation', 'staging']);
/** Without a contract nobody knows what runs, so there is nothing that anybody could take the risk of. */
const unwaivableCodes: ReadonlySet<string> = new Set(['contract_missing', 'contract_invalid']);

/** Asks that a finding or a gate be waived: for how long, and who owns the risk. Somebody else has to agree. */
export function askWaiver(scene: Scene, command: AskWaiver): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const no = unaskable(state, command, scene);
  if (no !== null) return plan.refuse(no);
  const { waiver: id, gate, attempt, finding, owner, until } = command;
  const asked = { askedBy: scene.actor.id, askedAt: scene.now, approvedBy: null, endedAt: null };
  const waiver: Waiver = { id, gate, attempt, finding, owner, until, ...asked };
  plan.tell(state.id, { kind: 'waiver_asked', v: 1, gate, waiver });
  return plan.answer({ kind: 'done' });
}

/** The second person's yes. With the last open finding waived the gate lets the candidate through, as `waived`. */
export function approveWaiver(scene: Scene, command: ApproveWaiver): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const waiver = state.waivers?.find(({ id }) => id === command.waiver);
  if (waiver === undefined) return plan.refuse(refusal('not_found', 'expected a waiver of this promotion'));
  const no = unapprovable(state, waiver, scene);
  if (no !== null) return plan.refuse(no);
  const { gate, attempt, id } = waiver;
  plan.tell(state.id, { kind: 'waiver_approved', v: 1, gate, waiver: id, by: scene.actor.id, until: waiver.until });
  const after = focus(plan);
  if (openReasons(after, gateOf(after, gate)).length === 0) {
    plan.tell(state.id, { kind: 'gate_waived', v: 1, gate, attempt });
    openIfHuman(plan, scene);
    plan.wakes.add(state.id);
  }
  return plan.answer({ kind: 'done' });
}

function unaskable(state: PromotionState, command: AskWaiver, { now, actor, person }: Scene): Refusal | null {
  if (state.outcome !== null || state.undo !== null)
    return refusal('promotion_ended', 'expected a promotion that has not ended');
  const rule = ruleOf(state.policy, 'approval')?.waivers;
  if (rule === undefined)
    return refusal('not_permitted', 'the policy of this promotion lets nobody waive anything', {
      rule: 'policy/waivers',
    });
  if (actor.kind !== 'human')
    return refusal('not_permitted', 'only a human asks for a waiver', { rule: 'humans_only' });
  const gate = findGate(state, command.gate);
  if (gate === undefined || !isBlocked(gate.status) || !waivableGates.has(gate.name))
    return refusal('gate_closed', `expected ${[...waivableGates].join(', ')} that failed or could not tell`);
  if (gate.attempt !== command.attempt)
    return refusal('stale_attempt', `expected attempt ${gate.attempt}, got ${command.attempt}`);
  if (gate.reasons.some(({ code }) => unwaivableCodes.has(code)))
    return refusal('gate_closed', 'expected a candidate that says what it is: its contract cannot be waived');
  const { finding, until } = command;
  if (finding !== null && !openReasons(state, gate).some((reason) => isSame(finding, reason)))
    return refusal('not_found', 'expected a finding of this gate that is not waived yet');
  if (!(until > now && until <= now + rule.daysMax * dayMs))
    return refusal('until_invalid', `expected an end within the ${rule.daysMax} days that the policy allows`);
  if (person?.kind !== 'human' || person.disabled)
    return refusal('no_owner', 'expected an active human who owns the risk');
  const known = state.waivers ?? [];
  return known.length < waiversMax
    ? null
    : refusal('too_many', `expected at most ${waiversMax} waivers at one promotion, got one more`);
}

function unapprovable(state: PromotionState, waiver: Waiver, { now, actor, door }: Scene): Refusal | null {
  if (state.outcome !== null || state.undo !== null)
    return refusal('promotion_ended', 'expected a promotion that has not ended');
  if (waiver.approvedBy !== null) return refusal('already_decided', 'this waiver was agreed to already');
  if (waiver.until <= now) return refusal('expired', 'the time that this waiver was asked for is over');
  const gate = findGate(state, waiver.gate);
  if (gate?.attempt !== waiver.attempt || !isBlocked(gate.status))
    return refusal('stale_attempt', 'the gate has been run again, or has passed, since this waiver was asked for');
  if (waiver.askedBy === actor.id)
    return refusal('own_work', 'you asked for this waiver, so somebody else must agree', { rule: 'separation/asker' });
  return closedDoor(pinnedRule(state.policy, 'approval'), door, now);
}

function gateOf(state: PromotionState, name: GateName): GateState {
  const gate = findGate(state, name);
  if (gate === undefined) throw new Error(`invariant broken: no gate ${name}`);
  return gate;
}
