import type { Decide, Defer } from './command.ts';
import { lossOf, standing } from './decision.ts';
import { closedDoor } from './door.ts';
import type { Outcome, PromotionState } from './promotion.ts';
import { artifactOf, findGate, gateIn } from './promotion.ts';
import { pinnedRule } from './policy.ts';
import { type Electorate, eligibleVotes, lostVotes, rightFor } from './eligible-vote.ts';
import { type Tally, matchQuorum } from './quorum.ts';
import { type Refusal, type RefusalCode, refusal } from './refusal.ts';
import type { Plan } from './scene.ts';
import { type Decided, type Scene } from './scene.ts';
import { begin, focus } from './step.ts';

/** A person's vote. Whether they may vote at all was answered by the authority; here it is counted. */
export function decideGate(scene: Scene, command: Decide): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const closed = cannotVote(state, command, scene);
  if (closed !== null) return plan.refuse(closed);
  const { decision: id, verdict, artifact, evidenceDigest } = command;
  const right = rightFor(state, scene.actor, withActor(scene));
  if (right === null)
    return plan.refuse(refusal('already_decided', 'the right that you vote by has been used already'));
  const decision = {
    id,
    person: scene.actor.id,
    ...(right.id !== scene.actor.id && { rightOf: right.id }),
    verdict,
    at: scene.now,
    artifact,
    evidenceDigest,
    bindingsAt: right.bindings,
    voided: null,
  };
  plan.tell(state.id, { kind: 'decision_recorded', v: 1, gate: command.gate, attempt: command.attempt, decision });
  if (verdict === 'reject') plan.tell(state.id, { kind: 'promotion_ended', v: 1, outcome: 'rejected' });
  const passed = verdict === 'approve' && closeQuorum(plan, scene);
  // A vote that changes nothing but the tally is nothing to the workflow.
  if (verdict !== 'approve' || passed) plan.wakes.add(state.id);
  return plan.answer({ kind: 'decided', passed });
}

/** "Not now": no vote, the gate stays open, and the end of its time stays where it is. */
export function defer(scene: Scene, command: Defer): Decided {
  const plan = begin(scene);
  const state = focus(plan);
  const gate = findGate(state, command.gate);
  if (gate?.name !== 'approval' || gate.status !== 'waiting' || gate.expiresAt === null)
    return plan.refuse(refusal('gate_closed', 'expected an approval gate that waits'));
  if (gate.attempt !== command.attempt)
    return plan.refuse(refusal('stale_attempt', `expected attempt ${gate.attempt}, got ${command.attempt}`));
  const closed = closedDoor(pinnedRule(state.policy, 'approval'), scene.door, scene.now);
  if (closed !== null) return plan.refuse(closed);
  const { until, attempt } = command;
  if (!(until > scene.now && until <= gate.expiresAt))
    return plan.refuse(refusal('until_invalid', 'expected a time from now until this gate expires'));
  const by = scene.actor.id;
  plan.tell(state.id, { kind: 'gate_deferred', v: 1, gate: gate.name, attempt, until, by });
  return plan.answer({ kind: 'done' });
}

/** What every surface shows beside an approval gate: how many of each group have agreed, by today's rights. */
export function tallyOf(state: PromotionState, electorate: Electorate): Tally {
  const rule = pinnedRule(state.policy, 'approval');
  return matchQuorum(rule.requirements, eligibleVotes(state, electorate));
}

function cannotVote(state: PromotionState, command: Decide, scene: Scene): Refusal | null {
  if (state.outcome !== null) return refusal(codeAfter[state.outcome], `this promotion has ended: ${state.outcome}`);
  const gate = findGate(state, command.gate);
  if (gate === undefined || gate.name !== 'approval')
    return refusal('gate_closed', 'expected an approval gate of this promotion');
  if (gate.attempt !== command.attempt)
    return refusal('stale_attempt', `expected attempt ${gate.attempt}, got ${command.attempt}`);
  if (gate.status !== 'waiting') return refusal('gate_closed', `this gate is ${gate.status}`);
  const current = command.artifact === artifactOf(state) && command.evidenceDigest === gate.evidenceDigest;
  if (!current)
    return refusal('stale_evidence', 'what you were shown is no longer current: look again and decide on that');
  const voted = standing(gate.decisions).some((decision) => decision.person === scene.actor.id);
  if (voted) return refusal('already_decided', 'you have decided on this attempt already');
  return closedDoor(pinnedRule(state.policy, 'approval'), scene.door, scene.now);
}

const codeAfter: Readonly<Record<Outcome, RefusalCode>> = {
  live: 'gate_closed',
  rolled_back: 'promotion_ended',
  demoted: 'promotion_ended',
  rejected: 'promotion_ended',
  expired: 'expired',
  superseded: 'superseded',
  cancelled: 'promotion_ended',
};

/** Rights are looked at again when the quorum closes; a lost vote is voided with its reason and the gate stays open. */
function closeQuorum(plan: Plan, scene: Scene): boolean {
  const state = focus(plan);
  const electorate = withActor(scene);
  for (const decision of lostVotes(state, electorate)) plan.tell(state.id, lossOf(decision));
  if (!tallyOf(state, electorate).met) return false;
  const { attempt } = gateIn(state, 'approval');
  plan.tell(state.id, { kind: 'quorum_reached', v: 1, gate: 'approval', attempt });
  return true;
}

function withActor({ authority, people, now, actor }: Scene): Electorate {
  return { authority, now, people: { ...people, [actor.id]: actor } };
}
