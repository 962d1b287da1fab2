import { type PromotionStanding, promotionStates, type RefusalCode, refusalCodes } from '@proviso/domain';
import { exitCodeOfProblem, exitCodeOfState } from './exit-code.ts';

const ofStates: Record<PromotionStanding, number> = {
  live: 0,
  blocked: 1,
  inconclusive: 1,
  cancelled: 2,
  superseded: 2,
  rejected: 3,
  rolled_back: 7,
  demoted: 7,
  queued: 8,
  running: 8,
  waiting_for_human: 8,
  canary: 8,
  held: 8,
  expired: 9,
};

test.each(promotionStates)('a promotion that is %s ends a command with its own number', (state) => {
  expect(exitCodeOfState(state)).toBe(ofStates[state]);
});

test('only a live promotion ends with 0: silence, waiting and doubt are no success', () => {
  expect(promotionStates.filter((state) => exitCodeOfState(state) === 0)).toEqual(['live']);
});

const ofRefusals: Record<RefusalCode, number> = {
  ...{ not_permitted: 5, own_work: 5, person_disabled: 5, nobody_answers: 5 },
  ...{ channel_not_allowed: 5, step_up_required: 5 },
  ...{ scope_missing: 5, scopes_required: 1, commit_mismatch: 1 },
  ...{
    already_decided: 6,
    gate_closed: 6,
    stale_attempt: 6,
    stale_evidence: 6,
    stale_fence: 6,
    stale_revision: 6,
    weight_not_due: 6,
    canary_paused: 1,
    superseded: 6,
  },
  ...{ promotion_ended: 6, production_started: 6, lane_not_owned: 6, expired: 9 },
  ...{
    not_found: 1,
    exists: 1,
    policy_unknown: 1,
    policy_invalid: 1,
    policy_unsatisfiable: 1,
    policy_weaker: 1,
    no_owner: 1,
  },
  ...{ candidate_unknown: 1, lane_held: 1, lane_busy: 1, not_trusted: 1, nothing_to_roll_back: 1 },
  ...{ until_invalid: 1, review_due: 1, nothing_live: 1 },
  ...{
    webhook_invalid: 1,
    webhook_stopped: 6,
    reason_required: 1,
    too_large: 1,
    too_many: 1,
    key_conflict: 1,
    outcome_unknown: 1,
  },
  ...{ contention: 1, not_configured: 1, report_invalid: 1, reserved_name: 1 },
  ...{ quota_reached: 1, limits_invalid: 1, artifact_removed: 6, artifact_needed: 1 },
};

test.each(refusalCodes)('the refusal %s ends a command with its own number, whatever its status', (code) => {
  for (const status of [403, 409, 412, 422]) expect(exitCodeOfProblem({ status, code })).toBe(ofRefusals[code]);
});

test.each([
  { status: 401, code: 'unauthenticated', exit: 4 },
  { status: 403, code: 'something_new', exit: 5 },
  { status: 412, code: 'revision_not_reached', exit: 6 },
  { status: 422, code: 'invalid', exit: 1 },
  { status: 422, code: 'constructor', exit: 1 },
  { status: 503, code: 'unavailable', exit: 1 },
])('the no $status $code of the door ends a command with $exit', ({ status, code, exit }) => {
  expect(exitCodeOfProblem({ status, code })).toBe(exit);
});
