import type { Prompt, PromptWish } from '@proviso/domain';
import type { Bulletin } from './bulletin.ts';

/** Where a new message is to stand. */
export interface Spot {
  readonly conversation: string;
  /** The address of the message in whose thread it belongs. */
  readonly thread: string | null;
  /** Sent along unseen, so that a message whose posting was cut off is found again. */
  readonly token: string;
}

/**
 * The place where a channel's messages stand, such as Slack's conversations. Which message should stand where and what it
 * says are pure; the rest are calls that may fail in the ways that an `OutletFailure` tells.
 */
export interface Outlet<Message extends object = object> {
  readonly wishes: (bulletin: Bulletin) => readonly PromptWish[];
  /** What a copy should say now; null: there is nothing to be said any more. */
  readonly draw: (prompt: Prompt, bulletin: Bulletin) => Message | null;
  /** Answers the new message's address. */
  readonly post: (message: Message, spot: Spot) => Promise<string>;
  readonly update: (message: Message, at: { readonly conversation: string; readonly address: string }) => Promise<void>;
  /** Takes back a message that was posted beside another copy of the same. */
  readonly withdraw: (at: { readonly conversation: string; readonly address: string }) => Promise<void>;
  /** The address of a message that was posted at this spot since then; null: there is none. */
  readonly find: (spot: Spot, sinceMs: number) => Promise<string | null>;
}

/** Shorter would be no pause; longer is no outlet's rule, and a broken word about it must not silence a channel for years. */
const pauseMsMin = 1_000;
const pauseMsMax = 3_600_000;

/** Why a call to an outlet failed, as far as it changes what is done next. */
export class OutletFailure extends Error {
  readonly code: string;
  readonly more: {
    /** It said itself when to come back, and means all calls; at most an hour, whatever it said. */
    readonly retryAfterMs?: number;
    /** Nothing that we do will change it, such as a message that somebody deleted. */
    readonly permanent?: true;
    /** It may have been done all the same. */
    readonly uncertain?: true;
  };

  constructor(code: string, more: OutletFailure['more'] = {}, cause?: unknown) {
    super(`expected the outlet to do it, got ${code}`, { cause });
    this.name = 'OutletFailure';
    this.code = code;
    const { retryAfterMs: asked } = more;
    this.more =
      asked === undefined ? more : { ...more, retryAfterMs: Math.min(pauseMsMax, Math.max(pauseMsMin, asked)) };
  }
}
