import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import {
  type PreviewPass,
  previewPassText,
  previewPath,
  previewSessionMs,
  previewUnheardMs,
  readPreviewPass,
} from '@proviso/domain';
import { gatePassOf } from '@proviso/targets';
import { PREVIEW_COOKIE, type RequestHead } from './headers.ts';

/** Who may come to staging: gates by their pass, and people who opened a link that the API gave them. */
export interface StagingDoor {
  readonly isGate: (head: RequestHead) => boolean;
  readonly hasSession: (head: RequestHead, host: string) => boolean;
  /** The cookie for a link that was opened for the first time in its time; null for all others. */
  readonly open: (url: string, host: string) => string | null;
}

/** What a door is given. Without a key nobody but gates comes in. */
export interface StagingDoorOptions {
  readonly controlToken: string;
  readonly previewKeyHex: string | null;
  readonly wallClock: () => Date;
  /** Whom the API has shut out, and how long ago it said so; null before it has said anything. */
  readonly heard: () => Heard | null;
}

/** The newest word of the API about people. */
export interface Heard {
  readonly shutOut: ReadonlySet<string>;
  readonly ageMs: number;
}

/** More links than people open within five minutes; beyond it no link is opened until some are over. */
const OPENED_MAX = 10_000;

/** A door that lets nobody in. */
export const closedDoor: StagingDoor = { isGate: () => false, hasSession: () => false, open: () => null };

/**
 * Opens the door. Which links were opened is known to this process alone: links from before its start are refused, so
 * that none is opened twice over a restart.
 */
export function openStagingDoor({ controlToken, previewKeyHex, wallClock, heard }: StagingDoorOptions): StagingDoor {
  const gatePass = gatePassOf(controlToken);
  const key = previewKeyHex === null ? null : Buffer.from(previewKeyHex, 'hex');
  const startedAt = wallClock().getTime();
  const opened = new Map<string, number>();
  const read = (token: string | null, use: PreviewPass['use'], host: string): PreviewPass | null => {
    const pass = key === null || token === null ? null : passIn(token, key);
    const now = wallClock().getTime();
    if (pass === null || pass.use !== use || pass.host !== host || pass.expiresAt <= now) return null;
    // Without a word from the API nobody knows whether they may still look, so nobody may.
    const word = heard();
    return word !== null && word.ageMs < previewUnheardMs && !word.shutOut.has(pass.person) ? pass : null;
  };
  return {
    isGate: ({ gate }) => gate !== null && isSame(gate, gatePass),
    hasSession: ({ preview }, host) => read(preview, 'session', host) !== null,
    open: (url, host) => {
      const link = read(tokenIn(url), 'link', host);
      if (link === null || key === null || link.issuedAt < startedAt || opened.has(link.nonce)) return null;
      const now = wallClock().getTime();
      for (const [nonce, until] of opened) if (until <= now) opened.delete(nonce);
      if (opened.size >= OPENED_MAX) return null;
      opened.set(link.nonce, link.expiresAt);
      const { person } = link;
      const times = { issuedAt: now, expiresAt: now + previewSessionMs };
      const text = previewPassText({ use: 'session', host, person, ...times, nonce: randomUUID() });
      const seconds = previewSessionMs / 1_000;
      return `${PREVIEW_COOKIE}=${text}~${signatureOf(text, key)}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax`;
    },
  };
}

/** True for the address at which links are opened. */
export function isPreviewUrl(url: string | undefined): boolean {
  return url?.split('?', 1)[0] === previewPath;
}

function tokenIn(url: string): string | null {
  return /\?token=([A-Za-z0-9._~-]{1,600})$/.exec(url)?.[1] ?? null;
}

function passIn(token: string, key: Buffer): PreviewPass | null {
  const at = token.lastIndexOf('~');
  const text = token.slice(0, Math.max(0, at));
  return isSame(token.slice(at + 1), signatureOf(text, key)) ? readPreviewPass(text) : null;
}

function signatureOf(text: string, key: Buffer): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

function isSame(one: string, other: string): boolean {
  // Hashed first, so that the comparison takes as long for every length and every guess.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
