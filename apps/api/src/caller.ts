import type { Viewer } from '@proviso/authority';
import type {
  Digest,
  Door,
  Id,
  PersonId,
  PersonState,
  Scope,
  SessionId,
  TokenRecord,
  WorkspaceId,
} from '@proviso/domain';
import type { Reads } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

/** Who is asking, as the guard found out. Rights are those of this moment; the journal looks again under its locks. */
export interface Caller {
  readonly workspace: WorkspaceId;
  readonly person: PersonState;
  /** The token they came with, and who lent it to them, if it is not theirs alone; null for a browser. */
  readonly token: Id<'tok'> | null;
  readonly lentBy: PersonId | null;
  /** What it is narrowed to; null: whatever the person may. */
  readonly scopes: readonly Scope[] | null;
  /** The browser they are signed in in; null for whoever came with a token. */
  readonly session: SignedIn | null;
  /** How they came in, and when they last proved who they are. */
  readonly door: Door;
  /** The tool that an agent used; absent for everybody who asked by themselves. */
  readonly tool?: string;
  readonly reads: Reads;
}

/** A browser's session, and when its person last proved who they are; null when their provider did not say. */
export interface SignedIn {
  readonly id: SessionId;
  readonly hash: Digest;
  readonly authenticatedAt: number | null;
}

/** How a caller proved who they are, and through which door, as every entry says it. */
export function authnOf({ token, tool }: Pick<Caller, 'token' | 'tool'>): string {
  if (token === null) return 'session/page';
  return tool === undefined ? 'token/rest' : `token/mcp/${tool}`;
}

/** The caller as the authority asks about them, wherever a door asks before the journal does. */
export function asViewer({
  person,
  lentBy,
  scopes,
  door,
}: Pick<Caller, 'person' | 'lentBy' | 'scopes' | 'door'>): Viewer {
  return { actor: person, lentBy, scopes, door };
}

/** The token that the caller came with, as it stands in their state; null for a browser. */
export function tokenOf({ person, token }: Pick<Caller, 'person' | 'token'>): TokenRecord | null {
  return person.tokens.find(({ id }) => id === token) ?? null;
}

/** Only the guard writes here. A request that went past it, by whatever bug, has no caller and gets nowhere. */
const callers = new WeakMap<FastifyRequest, Caller>();

/** Who sent a request, let in or not: for the record of what was refused, and for nothing else. */
const askers = new WeakMap<FastifyRequest, Caller>();

/** Remembers who sent a request, before anything is said about whether they may. */
export function attachAsker(request: FastifyRequest, asker: Caller): void {
  askers.set(request, asker);
}

/** Who sent a request; undefined for somebody unknown. */
export function askerOf(request: FastifyRequest): Caller | undefined {
  return askers.get(request);
}

/** Remembers who is asking for as long as the request lives. */
export function attachCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

/** Who is asking. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Problem('unauthenticated', 'expected a bearer token');
  return caller;
}
