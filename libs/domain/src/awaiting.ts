import { frozenReason } from './freeze.ts';
import type { GateState } from './gate.ts';
import type { PromotionEvent } from './promotion-event.ts';
import type { Reason } from './verdict.ts';

/** What stands in the way of a gate that nobody has begun, and until when, if that is known. */
export function awaiting(
  event: Extract<PromotionEvent, { kind: 'place_awaited' | 'build_postponed' | 'freeze_met' }>,
): Partial<GateState> {
  switch (event.kind) {
    case 'place_awaited':
      return { reasons: [placeReason(event.runsMax)] };
    case 'build_postponed':
      return { reasons: [postponedReason(event)] };
    case 'freeze_met':
      return { reasons: [frozenReason(event)], retryAt: event.until };
  }
}

function placeReason(runsMax: number): Reason {
  const message = `this workspace runs ${runsMax} of ${runsMax} candidates at once: this one goes on when one of them is done, or when an operator raises the limit`;
  return { code: 'limit_reached', message };
}

/** Told with the moment, so that nobody has to guess whether to wait or to ask an operator. */
export function postponedReason({ buildsMax, until }: { buildsMax: number; until: number }): Reason {
  const when = `${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const message = `this workspace has begun ${buildsMax} of ${buildsMax} builds today: this one goes on at ${when}, or when an operator raises the limit`;
  return { code: 'build_postponed', message };
}
