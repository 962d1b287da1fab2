import type { PersonState } from '@proviso/domain';
import type { FastifyRequest } from 'fastify';
import type { Parts } from '../parts.ts';
import { Problem } from '../problem.ts';

/** This machine by its own names. */
const loopback: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * A page that has its own name lead to this machine (DNS rebinding) could speak to us from a browser inside. So the host
 * must be ours, and an origin, which only browsers send, must be one that an operator has named. Asked before anything
 * is said about the token.
 */
export function expectOwnHost({ headers }: FastifyRequest, { publicUrl, corsOrigins }: Parts['config']): void {
  const own = new URL(publicUrl);
  const asked = URL.parse(`http://${headers.host ?? ''}`);
  if (asked === null || ![own.hostname, ...loopback].includes(asked.hostname))
    throw new Problem('cross_site', `expected the host ${own.hostname}`);
  if (headers.origin === undefined || [own.origin, ...corsOrigins].includes(headers.origin)) return;
  throw new Problem('cross_site', 'expected an origin that an operator has named, got another');
}

/** An agent is a principal of its own, for which a human answers: a human's token in its hands would act as that human. */
export function notAnAgent({ kind, actsFor }: Pick<PersonState, 'kind' | 'actsFor'>): Problem | null {
  if (kind === 'agent' && actsFor !== undefined) return null;
  const got = kind === 'agent' ? 'one of nobody' : `the token of a ${kind}`;
  return new Problem('not_permitted', `expected the token of an agent that acts for a human, got ${got}`, {
    rule: 'agents_only',
    recorded: true,
  });
}

/** Every message stands by itself: we open no session, so one that is named is none of ours. */
export function expectNoSession({ headers }: FastifyRequest): void {
  if (headers['mcp-session-id'] === undefined) return;
  throw new Problem('not_found', 'expected no session, got one that is none here');
}
