import { type PromotionStanding, promotionStates } from '@proviso/domain';
import { exitCodeOfProblem, exitCodeOfState } from './exit-code.ts';

const ofStates: Record<PromotionStanding, number> = {
  live: 0,
  blocked: 1,
  inconclusive: 1,
  cancelled: 2,
  superseded: 2,
  rejected: 3,
  rolled_back: 7,
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

test.each([
  { status: 401, code: 'unauthenticated', exit: 4 },
  { status: 403, code: 'own_work', exit: 5 },
  { status: 403, code: 'not_permitted', exit: 5 },
  { status: 403, code: 'something_new', exit: 5 },
  { status: 412, code: 'stale_evidence', exit: 6 },
  { status: 409, code: 'stale_attempt', exit: 6 },
  { status: 409, code: 'superseded', exit: 6 },
  { status: 409, code: 'expired', exit: 9 },
  { status: 422, code: 'invalid', exit: 1 },
  { status: 503, code: 'unavailable', exit: 1 },
])('the refusal $status $code ends a command with $exit', ({ status, code, exit }) => {
  expect(exitCodeOfProblem({ status, code })).toBe(exit);
});
