import type { PromotionStanding, RefusalCode } from '@proviso/domain';

/** What the process ends with: gh's numbers first, then ours. Scripts hang on these, so a number is never reused. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  cancelled: 2,
  rejected: 3,
  unauthenticated: 4,
  notAllowed: 5,
  stale: 6,
  rolledBack: 7,
  pending: 8,
  expired: 9,
  timeout: 124,
  interrupted: 130,
} as const;

/** One of these numbers. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What a promotion's state means to a script; a promotion that still moves or waits is pending, never a success. */
export function exitCodeOfState(state: PromotionStanding): ExitCode {
  switch (state) {
    case 'live':
      return exitCodes.ok;
    case 'blocked':
    case 'inconclusive':
      return exitCodes.failed;
    case 'cancelled':
    case 'superseded':
      return exitCodes.cancelled;
    case 'rejected':
      return exitCodes.rejected;
    case 'rolled_back':
    case 'demoted':
      return exitCodes.rolledBack;
    case 'expired':
      return exitCodes.expired;
    case 'queued':
    case 'running':
    case 'waiting_for_human':
    case 'canary':
    case 'held':
      return exitCodes.pending;
  }
}

/**
 * What each refusal means to a script; a new code finds its place here or does not compile. *Not allowed*: this person
 * may not, whatever the facts. *Stale*: the matter has moved on since it was looked at, so look again before the next try.
 */
const exitCodesOfRefusals: Readonly<Record<RefusalCode, ExitCode>> = {
  not_permitted: exitCodes.notAllowed,
  own_work: exitCodes.notAllowed,
  person_disabled: exitCodes.notAllowed,
  nobody_answers: exitCodes.notAllowed,
  channel_not_allowed: exitCodes.notAllowed,
  step_up_required: exitCodes.notAllowed,
  scope_missing: exitCodes.notAllowed,
  already_decided: exitCodes.stale,
  gate_closed: exitCodes.stale,
  stale_attempt: exitCodes.stale,
  stale_evidence: exitCodes.stale,
  stale_fence: exitCodes.stale,
  stale_revision: exitCodes.stale,
  weight_not_due: exitCodes.stale,
  canary_paused: exitCodes.failed,
  superseded: exitCodes.stale,
  promotion_ended: exitCodes.stale,
  production_started: exitCodes.stale,
  lane_not_owned: exitCodes.stale,
  expired: exitCodes.expired,
  not_found: exitCodes.failed,
  exists: exitCodes.failed,
  policy_unknown: exitCodes.failed,
  policy_invalid: exitCodes.failed,
  policy_unsatisfiable: exitCodes.failed,
  policy_weaker: exitCodes.failed,
  no_owner: exitCodes.failed,
  candidate_unknown: exitCodes.failed,
  lane_held: exitCodes.failed,
  lane_busy: exitCodes.failed,
  not_configured: exitCodes.failed,
  reserved_name: exitCodes.failed,
  not_trusted: exitCodes.failed,
  nothing_to_roll_back: exitCodes.failed,
  reason_required: exitCodes.failed,
  scopes_required: exitCodes.failed,
  commit_mismatch: exitCodes.failed,
  until_invalid: exitCodes.failed,
  review_due: exitCodes.failed,
  nothing_live: exitCodes.failed,
  report_invalid: exitCodes.failed,
  too_large: exitCodes.failed,
  too_many: exitCodes.failed,
  quota_reached: exitCodes.failed,
  limits_invalid: exitCodes.failed,
  artifact_removed: exitCodes.stale,
  artifact_needed: exitCodes.failed,
  webhook_invalid: exitCodes.failed,
  webhook_stopped: exitCodes.stale,
  key_conflict: exitCodes.failed,
  outcome_unknown: exitCodes.failed,
  contention: exitCodes.failed,
};

/** What a no of the API means to a script. The closed code decides; the status only for those that the door adds. */
export function exitCodeOfProblem(problem: { readonly status: number; readonly code: string }): ExitCode {
  const { status, code } = problem;
  if (status === 401) return exitCodes.unauthenticated;
  if (isRefusalCode(code)) return exitCodesOfRefusals[code];
  if (status === 403) return exitCodes.notAllowed;
  return status === 412 ? exitCodes.stale : exitCodes.failed;
}

function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(exitCodesOfRefusals, code);
}
