/** Every way to say no. A refusal is an expected answer, returned as data and recorded; it is never thrown. */
export const refusalCodes = [
  'not_permitted',
  'own_work',
  'not_found',
  'exists',
  'gate_closed',
  'already_decided',
  'stale_attempt',
  'stale_evidence',
  'report_invalid',
  'stale_fence',
  'stale_revision',
  'expired',
  'superseded',
  'promotion_ended',
  'production_started',
  'policy_unknown',
  'policy_invalid',
  'policy_unsatisfiable',
  'policy_weaker',
  'no_owner',
  'candidate_unknown',
  'lane_held',
  'lane_busy',
  'lane_not_owned',
  'weight_not_due',
  'canary_paused',
  'not_trusted',
  'not_configured',
  'reserved_name',
  'nothing_to_roll_back',
  'person_disabled',
  'nobody_answers',
  'reason_required',
  'scope_missing',
  'scopes_required',
  'commit_mismatch',
  'until_invalid',
  'review_due',
  'nothing_live',
  'channel_not_allowed',
  'step_up_required',
  'too_large',
  'quota_reached',
  'limits_invalid',
  'artifact_removed',
  'artifact_needed',
  'too_many',
  'webhook_invalid',
  'webhook_stopped',
  'key_conflict',
  'outcome_unknown',
  'contention',
] as const;

/** One closed code; surfaces map codes to words and status numbers, tests assert codes. */
export type RefusalCode = (typeof refusalCodes)[number];

/** The answer no: a code for machines, a sentence for people, and who could do it instead. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  /** The rule that said no, for `explain`. */
  readonly rule?: string;
  /** Who may do it: groups and roles, never names, since names are personal data. */
  readonly whoCan?: readonly string[];
}

/** Builds a refusal; the extra facts are optional because most codes explain themselves. */
export function refusal(code: RefusalCode, message: string, more: Omit<Refusal, 'code' | 'message'> = {}): Refusal {
  return { code, message, ...more };
}

/** Our own bug: thrown, never answered. Anything a stranger can cause is a refusal instead. */
export function invariant(holds: unknown, message: string): asserts holds {
  if (!holds) throw new Error(`invariant broken: ${message}`);
}
