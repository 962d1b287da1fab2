import { createHash } from 'node:crypto';
import { mayRead } from '@proviso/authority';
import { type Door, lenderOf, type PersonState } from '@proviso/domain';
import type { Journal } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import { type Caller, attachAsker, attachCaller } from './caller.ts';
import type { Parts } from './parts.ts';
import { Problem } from './problem.ts';
import { type Access, routeKey } from './route.ts';
import { routesByKey } from './routes.ts';

/**
 * The one guard, run on the raw request before any body is read. It looks at the route that was matched, never at the
 * path that was sent, so no spelling of a path leads around it; a route without a row is nobody's.
 */
export function guardOf(parts: Pick<Parts, 'journal' | 'refusals'>): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const path = request.routeOptions.url;
    if (request.is404 || path === undefined) throw new Problem('not_found', 'expected a known address');
    const route = routesByKey.get(routeKey(request.method, path));
    if (route === undefined) throw new Problem('not_found', 'expected a known address');
    if (route.access.kind === 'public') return;
    const caller = await authenticate(parts.journal, request.headers.authorization);
    attachAsker(request, caller);
    const refused = lackOf(route.access, caller.person);
    if (refused !== null) throw await recorded(parts, caller, { door: routeKey(request.method, path), refused });
    attachCaller(request, caller);
  };
}

/** A token proves nothing about when its holder was last asked who they are. */
const tokenDoor: Door = { channel: 'rest', freshAt: null };

/** A token's own form; anything else is not even hashed. */
const bearer = /^Bearer (prv_[A-Za-z0-9_-]{43})$/i;

async function authenticate(journal: Journal, header: string | undefined): Promise<Caller> {
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
  return {
    workspace: principal.workspace,
    person,
    reads,
    token: held.id,
    lentBy: lenderOf(person, held),
    door: tokenDoor,
  };
}

/** How a token is stored and looked up: only its hash is anywhere. */
export function hashOfToken(token: string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}

/** One answer for missing, malformed, expired and revoked, so that nothing can be told from it. */
function unknown(): Problem {
  return new Problem('unauthenticated', 'expected a valid bearer token');
}

/** A no is in the journal before it is told, within the same limit as every other try. */
async function recorded(
  { journal, refusals }: Pick<Parts, 'journal' | 'refusals'>,
  { workspace, person, lentBy }: Caller,
  { door, refused }: { readonly door: string; readonly refused: Problem },
): Promise<Problem> {
  const told = { kind: 'refusal_recorded', door, code: refused.code, rule: refused.more.rule ?? null } as const;
  await refusals.during(
    person.id,
    () => journal.recordAtDoor({ workspace, actor: person, lentBy, authn: 'token/rest', told }),
    () => true,
  );
  return refused;
}

/** What the caller lacks for a door; null: they may come in. */
function lackOf(access: Access, person: PersonState): Problem | null {
  switch (access.kind) {
    case 'public':
    case 'self':
    case 'command':
      return null;
    case 'read':
      return mayRead(person) ? null : lacking('read this workspace', 'read', readers);
    case 'edge':
      return mayRead(person, 'edge') ? null : lacking('run an edge', 'run_edge', ['role/edge']);
  }
}

const readers = ['builder', 'approver', 'operator', 'policy-owner', 'auditor', 'administrator'].map(
  (role) => `role/${role}`,
);

function lacking(what: string, verb: string, whoCan: readonly string[]): Problem {
  return new Problem('not_permitted', `expected somebody who may ${what}`, {
    rule: `ability/${verb}`,
    whoCan,
    recorded: true,
  });
}
