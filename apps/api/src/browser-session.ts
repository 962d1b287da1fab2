import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { type PersonId, type WorkspaceId, idFrom } from '@proviso/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from './caller.ts';
import { hashOfToken } from './hash-of-token.ts';
import type { Parts } from './parts.ts';
import { Problem } from './problem.ts';

/** What the cookies are called; over https with the prefix that no other host and no plain connection can set. */
const cookies = { session: 'proviso_session', signingIn: 'proviso_signing_in' } as const;
type CookieName = keyof typeof cookies;

type Place = Pick<Parts['config'], 'publicUrl'>;

/** What this browser holds under one of our names. Our values have these letters only; anything else is none of ours. */
export function cookieIn(request: FastifyRequest, config: Place, name: CookieName): string | null {
  const prefix = `${nameOf(config, name)}=`;
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const value = pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length) ?? '';
  return /^[A-Za-z0-9_-]+$/.test(value) ? value : null;
}

/** Gives the browser a cookie, or takes it away. No script reads it, and no other site's form sends it. */
export function setCookie(reply: FastifyReply, config: Place, name: CookieName, value: string | null): void {
  const rules = ['Path=/', 'HttpOnly', 'SameSite=Lax', ...(isSecure(config) ? ['Secure'] : [])];
  const told = [`${nameOf(config, name)}=${value ?? ''}`, ...rules, ...(value === null ? ['Max-Age=0'] : [])];
  void reply.header('set-cookie', told.join('; '));
}

/** Signs a person in in this browser. Whatever session it had ends: nobody goes on in one that another began. */
export async function signIn(
  { config, journal }: Pick<Parts, 'config' | 'journal'>,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  who: { readonly workspace: WorkspaceId; readonly person: PersonId; readonly authenticatedAt: number | null },
): Promise<void> {
  const secret = randomBytes(32).toString('base64url');
  const before = cookieIn(request, config, 'session');
  if (before !== null) {
    const found = await journal.sessions.find(hashOfToken(before));
    if (found !== null) await journal.sessions.end(found.workspace, hashOfToken(before));
  }
  await journal.sessions.open({ ...who, id: idFrom('ses', randomUUID()), hash: hashOfToken(secret) });
  setCookie(reply, config, 'session', secret);
}

/** What a form of ours carries: made of the session, so that no other site's form has it. */
export function formTokenOf({ vaultKeyHex }: Pick<Parts['config'], 'vaultKeyHex'>, { session }: Caller): string {
  const key = Buffer.from(vaultKeyHex, 'hex');
  return createHmac('sha256', key)
    .update(`form ${session?.hash ?? ''}`)
    .digest('base64url');
}

/** Refuses a form that is not of a page of ours, shown to this very session. */
export function expectFormToken(parts: Pick<Parts, 'config'>, caller: Caller, body: unknown): void {
  const sent = typeof body === 'object' && body !== null && 'form' in body ? String(body.form) : '';
  const [given, expected] = [Buffer.from(sent), Buffer.from(formTokenOf(parts.config, caller))];
  if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  throw crossSite();
}

/**
 * Refuses what another site sends in a browser's name. Browsers say where a form comes from; what says nothing is no
 * browser of today, and has no session to speak for.
 */
export function expectSameSite(request: FastifyRequest, { publicUrl }: Place): void {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  if (site !== undefined && site !== 'same-origin') throw crossSite();
  // Under another name of ours, such as localhost, a form says that name: what counts is that it is the one it is sent to.
  const own = [new URL(publicUrl).origin, `http://${host ?? ''}`, `https://${host ?? ''}`];
  if (origin !== undefined && !own.includes(origin)) throw crossSite();
  if (site === undefined && origin === undefined) throw crossSite();
}

function crossSite(): Problem {
  return new Problem('cross_site', 'expected a form of our own page, opened in this browser: open the page again');
}

function nameOf(config: Place, name: CookieName): string {
  return isSecure(config) ? `__Host-${cookies[name]}` : cookies[name];
}

function isSecure({ publicUrl }: Place): boolean {
  return new URL(publicUrl).protocol === 'https:';
}
