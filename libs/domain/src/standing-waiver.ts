import type { GateState } from './gate.ts';
import type { PersonId, WaiverId } from './id.ts';
import type { GateName } from './policy.ts';
import type { PromotionState } from './promotion.ts';
import type { Reason } from './verdict.ts';

/** One of a gate's reasons, told from the others by its code and place. */
export type Finding = Pick<Reason, 'code' | 'file' | 'line'>;

/** A risk that somebody owns for a time: a finding, or a whole gate that did not pass. Bound to the attempt that was seen. */
export interface Waiver {
  readonly id: WaiverId;
  readonly gate: GateName;
  readonly attempt: number;
  /** Null: the whole gate. */
  readonly finding: Finding | null;
  /** Who answers for the risk while it stands. */
  readonly owner: PersonId;
  readonly askedBy: PersonId;
  readonly askedAt: number;
  readonly until: number;
  readonly approvedBy: PersonId | null;
  readonly endedAt: number | null;
}

/** Waivers that hold now: agreed to, not over, and about the attempt that still counts. */
export function standingWaivers(state: Pick<PromotionState, 'waivers' | 'gates'>): readonly Waiver[] {
  return (state.waivers ?? []).filter(
    ({ approvedBy, endedAt, gate, attempt }) =>
      approvedBy !== null &&
      endedAt === null &&
      state.gates.some((one) => one.name === gate && one.attempt === attempt && one.status !== 'pending'),
  );
}

/** When the first of them ends; null when none stands. */
export function nextWaiverEnd(state: PromotionState): number | null {
  const ends = standingWaivers(state).map(({ until }) => until);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** What still stands in the way at a gate: its reasons without those that are waived. */
export function openReasons(state: Pick<PromotionState, 'waivers' | 'gates'>, gate: GateState): readonly Reason[] {
  const here = standingWaivers(state).filter((waiver) => waiver.gate === gate.name);
  if (here.some(({ finding }) => finding === null)) return [];
  return gate.reasons.filter((reason) => !here.some(({ finding }) => finding !== null && isSame(finding, reason)));
}

/** The waivers as votes are bound to them: whoever agrees has seen what was waived, by whom and until when. */
export function waiversShown(state: PromotionState): readonly string[] {
  return standingWaivers(state).map(
    ({ id, gate, finding, approvedBy, until }) =>
      `${gate} waived ${id} ${finding === null ? '' : JSON.stringify(finding)} by ${approvedBy} until ${until}`,
  );
}

/** True when both are the same finding. */
export function isSame(finding: Finding, reason: Finding): boolean {
  return finding.code === reason.code && finding.file === reason.file && finding.line === reason.line;
}
