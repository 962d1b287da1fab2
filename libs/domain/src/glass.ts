import type { Digest, PersonId } from './id.ts';
import { type PromotionState, artifactOf } from './promotion.ts';
import type { Plan } from './scene.ts';

/** Two who have not asked themselves: with fewer, one person alone could put anything before users. */
export const glassApprovalsMin = 2;

/** One emergency: asked for by one, agreed to by two others, good for one digest, one use and at most an hour. */
export interface BreakGlass {
  readonly askedBy: PersonId;
  readonly askedAt: number;
  readonly artifact: Digest;
  readonly until: number;
  readonly approvedBy: readonly PersonId[];
  /** When the second agreed: from then on the candidate may pass, and somebody has to review it. */
  readonly brokenAt: number | null;
  /** When its one use was taken, by the first production claim. */
  readonly usedAt: number | null;
  readonly endedAt: number | null;
}

/** A broken glass that may still be used: for these very files, once, within its time. */
export function isUsable(state: PromotionState, now: number): boolean {
  const { glass } = state;
  if (glass?.brokenAt == null || glass.endedAt !== null || glass.usedAt !== null) return false;
  return now < glass.until && glass.artifact === artifactOf(state);
}

/** The clock's word: unused it is over. True when the approval passed by it alone and has to be asked for anew. */
export function endGlass(plan: Plan, now: number): boolean {
  const state = plan.promotion;
  const { glass } = state ?? {};
  if (state === null || glass === undefined || glass.endedAt !== null || glass.usedAt !== null) return false;
  if (glass.until > now && glass.artifact === artifactOf(state)) return false;
  const passed = state.gates.some(({ name, verdict }) => name === 'approval' && verdict === 'waived');
  plan.tell(state.id, { kind: 'glass_ended', v: 1 });
  if (passed) plan.tell(state.id, { kind: 'gate_reopened', v: 1, gate: 'approval', why: 'glass_ended' });
  return passed;
}

/** When a broken one is over; null while there is none that could end. */
export function glassEnd({ glass }: Pick<PromotionState, 'glass'>): number | null {
  return glass?.brokenAt == null || glass.endedAt !== null || glass.usedAt !== null ? null : glass.until;
}
