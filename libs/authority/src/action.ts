import {
  type Command,
  type Hold,
  type PersonId,
  type PersonState,
  type PromotionState,
  type Refusal,
  type Scope,
  artifactOf,
  currentGate,
  gateIn,
  isBlocked,
  refusal,
  standing,
} from '@proviso/domain';
import { authorise, whoCan } from './authority.ts';

/** What a surface may offer: computed here once, so that no surface computes rights. */
export interface Action {
  readonly rel: 'approve' | 'reject' | 'rerun' | 'cancel' | 'rollback' | 'resume';
  readonly allowed: boolean;
  readonly code: string | null;
  readonly reason: string | null;
  readonly whoCan: readonly string[];
}

/** What the offer depends on beside the actor. */
export interface ActionFacts {
  readonly promotion: PromotionState;
  readonly hold: Hold | null;
  /** Who lent the viewer the token they came with. */
  readonly lentBy: PersonId | null;
  /** What that token is narrowed to. */
  readonly scopes: readonly Scope[] | null;
}

/** Every action that makes sense for this promotion now, with the reason when this actor may not. */
export function actionsOn(actor: PersonState, facts: ActionFacts): readonly Action[] {
  return offers(facts).map(({ rel, command }) => {
    const { promotion, lentBy, scopes } = facts;
    const refused = authorise({ actor, command, promotion, lentBy, scopes }) ?? votedAlready(actor, command, facts);
    const who = whoCan({ command, promotion: facts.promotion });
    return {
      rel,
      allowed: refused === null,
      code: refused?.code ?? null,
      reason: refused?.message ?? null,
      whoCan: who,
    };
  });
}

/** A vote is given once an attempt; a button that could only be refused is not offered. */
function votedAlready(actor: PersonState, command: Command, { promotion }: ActionFacts): Refusal | null {
  if (command.kind !== 'Decide') return null;
  const voted = standing(gateIn(promotion, command.gate).decisions).some((decision) => decision.person === actor.id);
  return voted ? refusal('already_decided', 'you have decided on this attempt already') : null;
}

function offers({ promotion, hold }: ActionFacts): readonly { rel: Action['rel']; command: Command }[] {
  const gate = currentGate(promotion);
  const open = promotion.outcome === null && promotion.undo === null;
  const found: { rel: Action['rel']; command: Command }[] = [];
  if (open && gate?.status === 'waiting' && gate.evidenceDigest !== null) {
    const shown = { artifact: artifactOf(promotion), evidenceDigest: gate.evidenceDigest };
    const vote = {
      kind: 'Decide',
      promotion: promotion.id,
      gate: gate.name,
      attempt: gate.attempt,
      decision: 'dec_0',
      ...shown,
    } as const;
    found.push(
      { rel: 'approve', command: { ...vote, verdict: 'approve' } },
      { rel: 'reject', command: { ...vote, verdict: 'reject' } },
    );
  }
  if (open && gate !== null && isBlocked(gate.status))
    found.push({ rel: 'rerun', command: { kind: 'Rerun', promotion: promotion.id, gate: gate.name } });
  if (open) found.push({ rel: 'cancel', command: { kind: 'Cancel', promotion: promotion.id } });
  if ((open && promotion.productionAt !== null) || promotion.outcome === 'live')
    found.push({ rel: 'rollback', command: { kind: 'Rollback', promotion: promotion.id } });
  if (hold !== null) found.push({ rel: 'resume', command: { kind: 'ResumeLane', lane: promotion.lanes.production } });
  return found;
}
