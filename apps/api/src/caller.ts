import type { PersonState, WorkspaceId } from '@proviso/domain';
import type { Reads } from '@proviso/journal';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

/** Who is asking, as the guard found out. Rights are those of this moment; the journal looks again under its locks. */
export interface Caller {
  readonly workspace: WorkspaceId;
  readonly person: PersonState;
  readonly reads: Reads;
}

/** Only the guard writes here. A request that went past it, by whatever bug, has no caller and gets nowhere. */
const callers = new WeakMap<FastifyRequest, Caller>();

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
