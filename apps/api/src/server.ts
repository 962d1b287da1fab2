import 'reflect-metadata';
import { createHash, randomUUID } from 'node:crypto';
import formbody from '@fastify/formbody';
import { multipart } from './multipart.ts';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiModule } from './api-module.ts';
import { expectFormToken } from './browser-session.ts';
import { callerOf } from './caller.ts';
import { answerCrossOrigin } from './cross-origin.ts';
import { guardOf } from './guard.ts';
import type { Parts } from './parts.ts';
import { Problem } from './problem.ts';
import { answerProblem } from './problem-filter.ts';
import { type Route, routeKey } from './route.ts';
import { routesByKey } from './routes.ts';
import { checkedBody } from './signed-body.ts';
import { attachTrace, loggedAs, randomHex, requestIdOf, traceFrom, traceText } from './trace.ts';
import { answerUnreadable } from './unreadable.ts';

/** A policy is at most 256 KiB, an edge's report some hundred; nothing that people send as JSON is larger. */
const bodyBytesMax = 1_048_576;

/** An upload of the largest archive over a slow line. */
const requestTimeoutMs = 300_000;

/** Builds the server, ready to listen or to be asked in a test. Fails when a route has no row. */
export async function createServer(parts: Parts): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
    // A HEAD route would be a second spelling of each GET; the table has none.
    exposeHeadRoutes: false,
    genReqId: () => requestIdOf(randomUUID()),
    logger: false,
    multipart: false,
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      maxParamLength: 200,
    },
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      answerProblem(parts, error, request, reply),
    clientErrorHandler: (error, socket) => answerUnreadable(parts, error, socket),
  });
  const fastify: FastifyInstance = adapter.getInstance();
  expectRows(fastify);
  addParsers(fastify);
  addHooks(fastify, parts);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.with(parts), adapter, {
    bodyParser: false,
    logger: false,
    abortOnError: false,
  });
  await app.init();
  await fastify.ready();
  return app;
}

/** A route without a row fails here, at the start, and not at the first stranger who finds it. */
export function expectRows(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      if (!routesByKey.has(routeKey(one, url)))
        throw new Error(`expected a row for ${one} ${url} in the route table, got none`);
    }
  });
}

function addParsers(fastify: FastifyInstance): void {
  fastify.removeContentTypeParser('text/plain');
  const asText = { parseAs: 'string' as const };
  const keep = (_request: FastifyRequest, body: string | Buffer, done: (error: null, body: unknown) => void) =>
    done(null, String(body));
  fastify.addContentTypeParser(['text/yaml', 'application/yaml'], asText, keep);
  void fastify.register(multipart.plugin, multipart.options);
  void fastify.register(formbody);
}

function addHooks(fastify: FastifyInstance, parts: Parts): void {
  const guard = guardOf(parts);
  fastify.addHook('onRequest', async (request, reply) => {
    const trace = traceFrom(request.headers.traceparent, randomHex);
    attachTrace(request, trace);
    // Not sent on: the only calls that we make go to GitHub, and whose requests belong together is no business of others.
    void reply.headers({ 'x-request-id': request.id, traceresponse: traceText(trace) });
    if (answerCrossOrigin(request, reply, parts.config.corsOrigins)) return await reply.code(204).send();
    await guard(request);
    expectMedia(request);
    expectNoCondition(request);
    return undefined;
  });
  // Before any parser: what was signed is looked at as bytes first.
  fastify.addHook('preParsing', async (request, reply, payload) => {
    const route = routesByKey.get(routeKey(request.method, request.routeOptions.url ?? ''));
    const signer = route?.takes.signedBy;
    return signer === undefined ? payload : await checkedBody(parts, { signer, request, reply, payload });
  });
  // With the guard: no page of ours is changed by a form that is not of a page of ours.
  fastify.addHook('preHandler', async (request) => {
    const route = routesByKey.get(routeKey(request.method, request.routeOptions.url ?? ''));
    if (route?.access.kind === 'page' && route.method !== 'GET')
      expectFormToken(parts, callerOf(request), request.body);
  });
  fastify.addHook('onSend', async (request, reply, payload) => {
    void reply.header('x-content-type-options', 'nosniff');
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
    return tagged(request, reply, payload);
  });
  fastify.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const { statusCode: status } = reply;
    parts.metrics.answered(`${request.method} ${route}`, status);
    parts.log.info(
      { ...loggedAs(request), method: request.method, route, status, ms: Math.round(reply.elapsedTime) },
      'answered',
    );
  });
}

/** What a route does not take is 415 before a byte of it is read. */
function expectMedia(request: FastifyRequest): void {
  const sent = request.headers['content-type'];
  if (request.method === 'GET' || sent === undefined) return;
  const route = routesByKey.get(routeKey(request.method, request.routeOptions.url ?? ''));
  const taken = route === undefined ? [] : mediaOf(route);
  const essence = sent.split(';')[0]?.trim().toLowerCase() ?? '';
  if (!taken.includes(essence)) throw new Problem('unsupported_media_type', `expected ${taken.join(' or ')}`);
}

/** A condition that would be ignored is a change that its sender believes to be safe. */
function expectNoCondition(request: FastifyRequest): void {
  if (request.headers['if-match'] === undefined) return;
  const route = routesByKey.get(routeKey(request.method, request.routeOptions.url ?? ''));
  if (route?.takes.condition) return;
  throw new Problem('malformed_request', 'expected no If-Match: only changes of prototypes and policies take one');
}

/** The content types that a route takes. */
function mediaOf({ takes }: Route): readonly string[] {
  return [
    ...(takes.json === undefined && takes.signedBy === undefined ? [] : ['application/json']),
    ...(takes.yaml ? ['text/yaml', 'application/yaml'] : []),
    ...(takes.archive ? ['multipart/form-data'] : []),
    ...(takes.form === undefined && takes.signedBy === undefined ? [] : ['application/x-www-form-urlencoded']),
  ];
}

/** An ETag on every JSON answer of a GET: whoever polls is told in a line that nothing changed. A thing with a revision has brought its own. */
function tagged(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  const isJson = String(reply.getHeader('content-type') ?? '').startsWith('application/json');
  if (request.method !== 'GET' || reply.statusCode !== 200 || !isJson || typeof payload !== 'string') return payload;
  const given = reply.getHeader('etag');
  const tag =
    typeof given === 'string' ? given : `"${createHash('sha256').update(payload).digest('base64url').slice(0, 22)}"`;
  void reply.header('etag', tag).header('cache-control', 'private, no-cache');
  const known = String(request.headers['if-none-match'] ?? '');
  if (!known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag)) return payload;
  void reply.code(304).removeHeader('content-length').removeHeader('content-type');
  return null;
}
