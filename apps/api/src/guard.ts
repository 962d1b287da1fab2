import { createHash } from 'node:crypto';
import { mayRead } from '@proviso/authority';
import type { PersonState } from '@proviso/domain';
import type { Journal } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import { type Caller, attachCaller } from './caller.ts';
import { Problem } from './problem.ts';
import { type Access, routeKey } from './route.ts';
import { routesByKey } from './routes.ts';

/**
 * The one guard, run on the raw request before any body is read. It looks at the route that was matched, never at the
 * path that was sent, so no spelling of a path leads around it; a route without a row is nobody's.
 */
export function guardOf(journal: Journal): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const path = request.routeOptions.url;
    if (request.is404 || path === undefined) throw new Problem('not_found', 'expected a known address');
    const route = routesByKey.get(routeKey(request.method, path));
    if (route === undefined) throw new Problem('not_found', 'expected a known address');
    if (route.access.kind === 'public') return;
    const caller = await authenticate(journal, request.headers.authorization);
    admit(route.access, caller.person);
    attachCaller(request, caller);
  };
}

/** A token's own form; anything else is not even hashed. */
const bearer = /^Bearer (prv_[A-Za-z0-9_-]{43})$/i;

async function authenticate(journal: Journal, header: string | undefined): Promise<Caller> {
  const token = bearer.exec(header ?? '')?.[1];
  if (token === undefined) throw unknown();
  const principal = await journal.principalOfToken(hashOfToken(token));
  if (principal === null) throw unknown();
  const reads = journal.reads(principal.workspace);
  const person = await reads.person(principal.person);
  if (person === null || person.disabled) throw unknown();
  return { workspace: principal.workspace, person, reads };
}

/** How a token is stored and looked up: only its hash is anywhere. */
export function hashOfToken(token: string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}

/** One answer for missing, malformed, expired and revoked, so that nothing can be told from it. */
function unknown(): Problem {
  return new Problem('unauthenticated', 'expected a valid bearer token');
}

function admit(access: Access, person: PersonState): void {
  switch (access.kind) {
    case 'public':
    case 'self':
    case 'command':
      return;
    case 'read':
      if (!mayRead(person)) throw lacking('read this workspace', 'read', readers);
      return;
    case 'edge':
      if (!mayRead(person, 'edge')) throw lacking('run an edge', 'run_edge', ['role/edge']);
      return;
  }
}

const readers = ['builder', 'approver', 'operator', 'policy-owner', 'auditor', 'administrator'].map(
  (role) => `role/${role}`,
);

function lacking(what: string, verb: string, whoCan: readonly string[]): Problem {
  return new Problem('not_permitted', `expected somebody who may ${what}`, { rule: `ability/${verb}`, whoCan });
}
