import { type Refusal, refusal } from './refusal.ts';

/** The ways in. `page` is the API's own page, where somebody has just logged in; `service` is a process of ours. */
export const channels = ['rest', 'page', 'slack', 'github', 'service'] as const;
/** One of them. */
export type Channel = (typeof channels)[number];

/** How an actor came in, and when they last proved who they are; null when nobody asked them to. */
export interface Door {
  readonly channel: Channel;
  readonly freshAt: number | null;
}

/** Long enough to read what one is about to sign, short enough that an unlocked screen is not a signature. */
export const freshMsMax = 5 * 60_000;

/**
 * Somebody who has just logged in at the page, by the database's clock. A login from further ahead than it may lie back
 * is of a broken clock, and would be fresh for ever.
 */
export function isFresh({ channel, freshAt }: Door, now: number): boolean {
  return channel === 'page' && freshAt !== null && Math.abs(now - freshAt) <= freshMsMax;
}

/** The no to whatever needs a fresh login; null when there was one. */
export function lacksFreshLogin(door: Door, now: number): Refusal | null {
  if (isFresh(door, now)) return null;
  const message = 'expected a fresh login on the page of this gate, got an older one or another way in';
  return refusal('step_up_required', message, { rule: 'door/step_up' });
}

/** The no of a gate to the way in: its policy may name the channels and may ask for a fresh login. */
export function closedDoor(
  rule: { readonly channels?: readonly Channel[]; readonly stepUp?: boolean },
  door: Door,
  now: number,
): Refusal | null {
  if (rule.channels !== undefined && !rule.channels.includes(door.channel)) {
    const message = `this gate is decided through ${rule.channels.join(' or ')}, got ${door.channel}`;
    return refusal('channel_not_allowed', message, { rule: 'door/channels' });
  }
  return rule.stepUp === true ? lacksFreshLogin(door, now) : null;
}
