import type { GateState } from './gate.ts';
import type { Reason } from './verdict.ts';

/**
 * A time in which nothing new goes to users. Begin and end are what the clock on the wall of that zone shows, so an end on
 * Monday at six stays there when the clocks change in between.
 */
export interface FreezeWindow {
  /** An IANA time zone, such as `Europe/Berlin`. */
  readonly zone: string;
  readonly from: string;
  readonly until: string;
  /** How it comes again, as a recurrence rule of RFC 5545; absent: it does not. */
  readonly every?: string;
  readonly why: string;
}

/** A freeze that is on: when it ends, windows that follow at once included, and why. */
export interface Freeze {
  readonly until: number;
  readonly why: string;
}

/** What is known of calendars outside of this room, which imports nothing. */
export interface Calendar {
  readonly freezeAt: (windows: readonly FreezeWindow[], now: number) => Freeze | null;
  /** Why nobody could say when a window is; null when it can be said. */
  readonly windowProblem: (window: FreezeWindow) => string | null;
}

/** The code of the reason at a gate that waits for the end of a freeze. */
const frozenCode = 'frozen';

/** What the gate says while it waits; the surface shows the end in the reader's own time. */
export function frozenReason({ why }: Freeze): Reason {
  return { code: frozenCode, message: `nothing new goes to users for now: ${why}` };
}

/** True while a gate waits for the end of a freeze; `retryAt` is that end. */
export function isFrozen(gate: GateState): boolean {
  return gate.status === 'pending' && gate.reasons[0]?.code === frozenCode;
}
