import type { PromotionStanding } from '@proviso/domain';

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

/** Codes by which the API says that what was shown is no longer what counts. */
const staleCodes = new Set(['stale_evidence', 'stale_attempt', 'stale_fence', 'superseded', 'gate_closed']);
/** Codes by which the API says that this person may not, whatever the facts. */
const notAllowedCodes = new Set([
  ...['not_permitted', 'own_work', 'person_disabled', 'channel_not_allowed', 'step_up_required'],
]);

/** What a refusal of the API means to a script. The closed code decides; the status only where there is none. */
export function exitCodeOfProblem(problem: { readonly status: number; readonly code: string }): ExitCode {
  if (problem.status === 401) return exitCodes.unauthenticated;
  if (notAllowedCodes.has(problem.code)) return exitCodes.notAllowed;
  if (staleCodes.has(problem.code)) return exitCodes.stale;
  if (problem.code === 'expired') return exitCodes.expired;
  if (problem.status === 403) return exitCodes.notAllowed;
  if (problem.status === 412) return exitCodes.stale;
  return exitCodes.failed;
}
