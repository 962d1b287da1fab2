import { mayRead, readOutOfScope, readingRoles, shutOut } from '@proviso/authority';
import { type Door, lenderOf } from '@proviso/domain';
import type { Journal } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import { cookieIn, expectSameSite } from './browser-session.ts';
import { type Caller, attachAsker, attachCaller, authnOf } from './caller.ts';
import { hashOfToken } from './hash-of-token.ts';
import { expectOwnHost, notAnAgent } from './mcp/agent-door.ts';
import { toolHeader } from './mcp/tool-mark.ts';
import type { Parts } from './parts.ts';
import { peopleBehind } from './person-ref.ts';
import { Problem, problemOfRefusal } from './problem.ts';
import { type Access, isForVoters, routeKey } from './route.ts';
import { routesByKey } from './routes.ts';
import { votesOnNamed } from './voted-on.ts';

/**
 * The one guard, run on the raw request before any body is read. It looks at the route that was matched, never at the
 * path that was sent, so no spelling of a path leads around it; a route without a row is nobody's.
 */
export function guardOf(
  parts: Pick<Parts, 'journal' | 'refusals' | 'config' | 'uses' | 'toolMark' | 'now'>,
): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const path = request.routeOptions.url;
    if (request.is404 || path === undefined) throw new Problem('not_found', 'expected a known address');
    const route = routesByKey.get(routeKey(request.method, path));
    if (route === undefined) throw new Problem('not_found', 'expected a known address');
    if (route.access.kind === 'public') return;
    const { authorization } = request.headers;
    // Whoever comes with a token is no browser; at a page it is worth nothing, and that is said first.
    if (route.access.kind === 'page' && request.method !== 'GET' && authorization === undefined)
      expectSameSite(request, parts.config);
    if (route.access.kind === 'agent') expectOwnHost(request, parts.config);
    const caller = await authenticate(parts, request, route.access);
    attachAsker(request, caller);
    const reads =
      mayRead(caller.person) || (isForVoters(route.access) && (await votesOnNamed(caller, request, parts.now())));
    const refused = (await unanswered(caller)) ?? lackOf(route.access, caller, reads);
    if (refused !== null) throw await recorded(parts, caller, { door: routeKey(request.method, path), refused });
    attachCaller(request, caller);
  };
}

/** A token proves nothing about when its holder was last asked who they are. */
const tokenDoor: Door = { channel: 'rest', freshAt: null };

/** A token's own form; anything else is not even hashed. */
const bearer = /^Bearer (prv_[A-Za-z0-9_-]{43})$/i;

/**
 * One credential counts, never two: whoever sends a token is judged by it, whatever cookie their browser adds. A cookie
 * alone counts only where the row says so.
 */
async function authenticate(
  { journal, config, uses, toolMark }: Pick<Parts, 'journal' | 'config' | 'uses' | 'toolMark'>,
  request: FastifyRequest,
  access: Access,
): Promise<Caller> {
  const { authorization } = request.headers;
  if (access.kind === 'page' || (authorization === undefined && 'session' in access)) {
    return await bySession(journal, authorization === undefined ? cookieIn(request, config, 'session') : null);
  }
  const caller = await byToken({ journal, uses }, authorization);
  if (isLocal(caller) && config.oidc !== null && !config.oidc.keepLocalTokens) throw unknown();
  const tool = toolMark.in(request.headers[toolHeader]);
  return tool === undefined ? caller : { ...caller, tool };
}

/** A human's token from the founding. Where people sign in with a provider it would be a way in beside it. */
function isLocal({ person, token }: Caller): boolean {
  return person.kind === 'human' && person.tokens.some((held) => held.id === token && held.issuedBy === undefined);
}

async function bySession(journal: Journal, secret: string | null): Promise<Caller> {
  if (secret === null || !/^[A-Za-z0-9_-]{43}$/.test(secret)) throw unknown();
  const hash = hashOfToken(secret);
  const found = await journal.sessions.use(hash);
  if (found === null) throw unknown();
  const { workspace, id, authenticatedAt } = found;
  const reads = journal.reads(workspace);
  const person = await reads.person(found.person);
  if (person === null || person.disabled) throw unknown();
  const door: Door = { channel: 'page', freshAt: authenticatedAt };
  return {
    workspace,
    person,
    reads,
    token: null,
    lentBy: null,
    scopes: null,
    session: { id, hash, authenticatedAt },
    door,
  };
}

async function byToken(
  { journal, uses }: Pick<Parts, 'journal' | 'uses'>,
  header: string | undefined,
): Promise<Caller> {
  const token = bearer.exec(header ?? '')?.[1];
  if (token === undefined) throw unknown();
  const hash = hashOfToken(token);
  const principal = await journal.principalOfToken(hash);
  if (principal === null) throw unknown();
  const reads = journal.reads(principal.workspace);
  const person = await reads.person(principal.person);
  const held = person?.tokens.find((one) => one.hash === hash);
  // Nothing is kept from one request to the next: what was revoked is unknown to every replica at once.
  if (person === null || person.disabled || held === undefined) throw unknown();
  const { workspace } = principal;
  await uses.note(workspace, hash);
  const [lentBy, scopes] = [lenderOf(person, held), held.scopes ?? null];
  return { workspace, person, reads, token: held.id, lentBy, scopes, session: null, door: tokenDoor };
}

/** One answer for missing, malformed, expired and revoked, so that nothing can be told from it. */
function unknown(): Problem {
  return new Problem('unauthenticated', 'expected a valid bearer token');
}

/** A no is in the journal before it is told, within the same limit as every other try. */
export async function recorded(
  { journal, refusals }: Pick<Parts, 'journal' | 'refusals'>,
  caller: Caller,
  { door, refused }: { readonly door: string; readonly refused: Problem },
): Promise<Problem> {
  const { workspace, person, lentBy } = caller;
  const told = { kind: 'refusal_recorded', door, code: refused.code, rule: refused.more.rule ?? null } as const;
  await refusals.during(
    person.id,
    () =>
      journal.recordAtDoor({
        workspace,
        actor: person,
        lentBy,
        authn: authnOf(caller),
        told,
      }),
    () => true,
  );
  return refused;
}

/** A machine acts for a human, and who came with a lent token by its lender: shut out, they let in nobody any more. */
export async function unanswered({ person, lentBy, reads }: Caller): Promise<Problem | null> {
  const behind = await peopleBehind(reads, [person.actsFor, lentBy]);
  const refused = shutOut({ actor: person, behind: Object.values(behind) });
  return refused === null ? null : problemOfRefusal(refused);
}

/** What the caller lacks for a door, be it a right or a wider token; null: they may come in. */
function lackOf(access: Access, { person, scopes }: Pick<Caller, 'person' | 'scopes'>, reads: boolean): Problem | null {
  switch (access.kind) {
    case 'public':
    case 'self':
    case 'command':
      return null;
    case 'page':
      return access.needs === 'self' ? null : lackOf({ kind: access.needs }, { person, scopes }, reads);
    case 'read':
      return reads ? tooNarrow(scopes, 'workspace') : lacking('read this workspace', 'read', readers);
    case 'agent':
      return notAnAgent(person) ?? lackOf({ kind: 'read' }, { person, scopes }, reads);
    case 'edge':
      return mayRead(person, 'edge') ? tooNarrow(scopes, 'edge') : lacking('run an edge', 'run_edge', ['role/edge']);
  }
}

function tooNarrow(scopes: Caller['scopes'], noun: 'workspace' | 'edge'): Problem | null {
  const refused = readOutOfScope(scopes, noun);
  return refused === null ? null : problemOfRefusal(refused);
}

const readers = readingRoles.map((role) => `role/${role}`);

function lacking(what: string, verb: string, whoCan: readonly string[]): Problem {
  return new Problem('not_permitted', `expected somebody who may ${what}`, {
    rule: `ability/${verb}`,
    whoCan,
    recorded: true,
  });
}
