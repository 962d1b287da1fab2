import { pendingGate } from './gate.ts';
import type { PromotionState } from './promotion.ts';
import { smallPolicy } from './world.contract.ts';

/** A time of day on a Wednesday, 25 November 2026. */
export const at = (hour: number, minute = 0): number => Date.UTC(2026, 10, 25, hour, minute);
const minute = 60_000;

/** Ten minutes at each of three shares, looked at every five seconds. */
export const policy = {
  ...smallPolicy,
  gates: [{ gate: 'readiness' as const, attemptsMax: 3 }, ...smallPolicy.gates].map((rule) =>
    rule.gate === 'canary'
      ? { ...rule, weights: [10, 25, 50, 100], dwellMs: 10 * minute, lookMs: 5_000, deadlineMs: 60 * minute }
      : rule,
  ),
};

/** A promotion of that morning: every gate before the place has passed, and the one there is as told. */
export function state(
  change: Partial<PromotionState>,
  place: string,
  gate: Partial<PromotionState['gates'][number]> = {},
): PromotionState {
  const names = policy.gates.map((rule) => rule.gate);
  const index = names.findIndex((name) => name === place);
  const gates = names.map((name, nth) => ({
    ...pendingGate(name, at(9)),
    ...(nth < index ? { status: 'passed' as const, since: at(10, 2) } : nth === index ? gate : {}),
  }));
  const candidate = { version: 'v14' };
  return {
    policy,
    candidate,
    gates,
    undo: null,
    outcome: null,
    endedAt: at(10, 14),
    weight: 0,
    ...change,
  } as unknown as PromotionState;
}
