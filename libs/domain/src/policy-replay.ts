import { standing } from './decision.ts';
import type { GateState } from './gate.ts';
import { type GateName, type GateRule, type Policy, ruleOf } from './policy.ts';
import { atTier } from './policy-tier.ts';
import { approvalsOf, tallyAmong, voterOf } from './tried-vote.ts';
import { type PromotionState, findGate } from './promotion.ts';
import { missingWords } from './quorum.ts';
import type { Authority } from './scene.ts';

/** How far what is recorded of a promotion would have come: to the canary, or to the gate that it would not have passed. */
export type ReplayedEnd =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly gate: GateName; readonly why: string };

/** One past promotion under the policy it had and under the draft. */
export interface Replayed {
  readonly promotion: PromotionState['id'];
  readonly before: ReplayedEnd;
  readonly after: ReplayedEnd;
  /** True when the draft admits what was not, or stops at another gate, or at all. */
  readonly changes: boolean;
}

/**
 * Decides a past promotion again under a draft, from its recorded verdicts, measures and votes alone: what nobody looked at
 * then is not guessed. The canary judges users' traffic, which is not there any more, so a replay ends where it begins.
 */
export function replayPromotion(promotion: PromotionState, draft: Policy, authority: Authority): Replayed {
  const before = endUnder(promotion.policy, promotion, authority);
  const after = endUnder(atTier(draft, promotion.tier ?? null), promotion, authority);
  const gateOf = (end: ReplayedEnd) => (end.admitted ? null : end.gate);
  return { promotion: promotion.id, before, after, changes: gateOf(before) !== gateOf(after) };
}

function endUnder(policy: Policy, promotion: PromotionState, authority: Authority): ReplayedEnd {
  for (const rule of policy.gates) {
    if (rule.gate === 'canary') break;
    const why =
      rule.gate === 'approval' ? lacking(policy, promotion, authority) : unmet(rule, findGate(promotion, rule.gate));
    if (why !== null) return { admitted: false, gate: rule.gate, why };
  }
  return { admitted: true };
}

/** A measured gate is held against the bar again; every other verdict stands. */
function unmet(rule: GateRule, gate: GateState | undefined): string | null {
  if (gate === undefined || gate.verdict === null) return 'was not run';
  const { measure } = gate;
  if (rule.gate === 'evaluation' && measure !== null)
    return measure.lower >= rule.bar ? null : `expected at least ${rule.bar}, got ${measure.lower}`;
  return gate.status === 'passed' ? null : `ended ${gate.verdict}`;
}

/** Votes as they were given, with the rights of then; one that came too late for the draft is none. */
function lacking(policy: Policy, promotion: PromotionState, authority: Authority): string | null {
  const gate = findGate(promotion, 'approval');
  if (gate === undefined) return 'nobody was asked';
  const against = standing(gate.decisions).find(({ verdict }) => verdict !== 'approve');
  if (against !== undefined) return against.verdict === 'reject' ? 'was rejected' : 'changes were asked for';
  const until = closesAt(policy, promotion, gate);
  const voters = approvalsOf(promotion)
    .filter(({ at }) => at < until)
    .map(voterOf);
  const tally = tallyAmong(voters, { policy, promotion, authority });
  return tally.met ? null : missingWords(tally);
}

/** When the gate would have expired: it was opened as long before its own expiry as its own policy gave it. */
function closesAt(policy: Policy, promotion: PromotionState, gate: GateState): number {
  const [then, now] = [ruleOf(promotion.policy, 'approval'), ruleOf(policy, 'approval')];
  if (gate.expiresAt === null || then === undefined || now === undefined) return Number.POSITIVE_INFINITY;
  return gate.expiresAt - then.expiresMs + now.expiresMs;
}
