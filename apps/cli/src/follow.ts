import { setTimeout as delay } from 'node:timers/promises';
import type { Promotion } from '@proviso/client';
import type { PromotionStanding } from '@proviso/domain';
import { exitCodes } from './exit-code.ts';
import { interrupted } from './interruption.ts';
import { Trouble } from './trouble.ts';

/** Where a promotion stands, as far as following it needs. A run of a pipeline is told no more. */
export type Standing = Pick<Promotion, 'id' | 'state' | 'headline' | 'outcome'> & {
  readonly gates: readonly { readonly name: string; readonly status: string }[];
};

/** How to look on while a promotion moves. */
export interface FollowOptions<Seen extends Standing = Promotion> {
  readonly until: (promotion: Seen) => boolean;
  /** Called at each look, also when nothing changed; deciding and drawing are the caller's. */
  readonly look: (promotion: Seen) => void | Promise<void>;
  readonly timeoutMs?: number;
  readonly pollMs?: number;
  readonly signal: AbortSignal;
}

/** Twice a second is as soon as a person notices; the server answers from one row. */
const POLL_MS = 500;
/** An API that is restarted is back within seconds; a minute without an answer is an outage. */
const SILENCE_MS_MAX = 60_000;

/** Looks until the condition holds. Transient errors are looked past; the time limit ends with 124. */
export async function follow<Seen extends Standing>(
  read: () => Promise<Seen>,
  options: FollowOptions<Seen>,
): Promise<Seen> {
  const startedMs = performance.now();
  let answeredMs = startedMs;
  for (;;) {
    if (options.signal.aborted) throw interrupted();
    const found = await read().catch((error: unknown) => {
      if (!isTransient(error) || performance.now() - answeredMs > SILENCE_MS_MAX) throw error;
      return null;
    });
    if (found !== null) {
      answeredMs = performance.now();
      await options.look(found);
      if (options.until(found)) return found;
    }
    if (options.timeoutMs !== undefined && performance.now() - startedMs > options.timeoutMs) {
      throw timedOut(found, options.timeoutMs);
    }
    await delay(options.pollMs ?? POLL_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

/** True when nothing more will happen by itself and no person is expected: the end of a `watch`. */
export function isOver(promotion: Standing): boolean {
  return promotion.outcome !== null;
}

const stuckStates: ReadonlySet<PromotionStanding> = new Set(['blocked', 'inconclusive', 'held']);

/** True when it is over or stands still until a person acts on the prototype: the end of `promote --wait`. */
export function isOverOrStuck(promotion: Standing): boolean {
  return isOver(promotion) || stuckStates.has(promotion.state);
}

/** What `wait --until` may name: a state, or a gate that has been passed. */
export function reached(promotion: Standing, goal: string): boolean {
  if (promotion.state === goal) return true;
  return promotion.gates.some((gate) => gate.name === goal && gate.status === 'passed');
}

/** A refusal of the API is an answer; only silence and server errors may be over the next time. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Trouble)) return true;
  if (error.exitCode !== exitCodes.failed) return false;
  return !('status' in error) || Number(error.status) >= 500;
}

function timedOut(last: Standing | null, timeoutMs: number): Trouble {
  const stands = last === null ? 'no answer' : last.headline;
  return new Trouble(`expected it to get there within ${timeoutMs / 1_000} s, got: ${stands}`, {
    exitCode: exitCodes.timeout,
  });
}
