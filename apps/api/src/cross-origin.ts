import type { FastifyReply, FastifyRequest } from 'fastify';

/** How long a browser need not ask again. */
const askAgainSeconds = 600;

/**
 * Lets pages of the origins that the operator names read with a token of theirs. Nothing is changed from there, and no
 * cookie counts: the answer never allows credentials. True when a browser only asked whether it may, and is answered.
 */
export function answerCrossOrigin(request: FastifyRequest, reply: FastifyReply, origins: readonly string[]): boolean {
  if (origins.length === 0 || !request.url.startsWith('/v1/')) return false;
  void reply.header('vary', 'Origin');
  const { origin, 'access-control-request-method': method } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return false;
  const wanted = request.method === 'OPTIONS' ? method : request.method;
  if (wanted !== 'GET') return false;
  void reply.headers({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'etag, retry-after, traceresponse, x-request-id',
  });
  if (request.method !== 'OPTIONS') return false;
  void reply.headers({
    'access-control-allow-methods': 'GET',
    'access-control-allow-headers': 'authorization, last-event-id, if-none-match',
    'access-control-max-age': String(askAgainSeconds),
  });
  return true;
}
