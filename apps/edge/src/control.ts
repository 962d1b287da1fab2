import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type LaneCounts,
  type LaneReport,
  messageOf,
  parseTrialOrder,
  TargetFailure,
  type Trials,
} from '@proviso/targets';
import { METRICS_TYPE } from './metrics.ts';

/** What the control port shows and does; every entry is one route. */
export interface ControlDesk {
  readonly summary: () => object;
  readonly lanes: () => readonly LaneReport[];
  readonly lane: (lane: string) => LaneReport | null;
  /** The lane with its files hashed again now. */
  readonly running: (lane: string) => Promise<LaneReport> | null;
  readonly counts: (lane: string) => LaneCounts | null;
  readonly metrics: () => string;
  readonly trials: Trials;
  /** Where the router listens, for trials. */
  readonly routerUrl: () => string;
}

interface Answer {
  readonly status: number;
  readonly body: object | string;
}

const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_WITHIN_MS = 10_000;

const statusByCode: Readonly<Partial<Record<string, number>>> = {
  bad_request: 400,
  bad_answer: 400,
  not_found: 404,
  conflict: 409,
  too_many: 429,
};

/** The server a worker talks to. `desk` gives null while the edge is still starting. */
export function openControl(options: { token: string; desk: () => ControlDesk | null }): Server {
  return createServer({ requestTimeout: REQUEST_WITHIN_MS, headersTimeout: REQUEST_WITHIN_MS }, (request, response) => {
    void answerOf(options, request)
      .catch((error: unknown) => problemOf(error))
      .then((answer) => send(response, answer));
  });
}

async function answerOf(
  options: { token: string; desk: () => ControlDesk | null },
  request: IncomingMessage,
): Promise<Answer> {
  // Not by way of URL: it takes `//` for a host, and throws.
  const [pathname = '/'] = (request.url ?? '/').split('?');
  const desk = options.desk();
  if (pathname === '/healthz') return { status: 200, body: { status: desk === null ? 'starting' : 'ok' } };
  const isOpen = pathname === '/metrics' && isLoopback(request);
  if (!isOpen && !isAllowed(request, options.token)) return problem(401, 'unauthorised', 'expected the control token');
  if (desk === null) return problem(503, 'starting', 'expected a started edge');
  const words = pathname.split('/').slice(1).map(decodeURIComponent);
  if (words[0] === 'trials') return trialAnswerOf(desk, request, words);
  if (request.method !== 'GET') return problem(405, 'bad_request', 'expected GET');
  return (await readingOf(desk, words)) ?? problem(404, 'not_found', 'expected a known lane or path');
}

async function readingOf(desk: ControlDesk, words: readonly string[]): Promise<Answer | null> {
  const [noun, lane, detail, ...rest] = words;
  if (rest.length > 0) return null;
  if (noun === '') return { status: 200, body: desk.summary() };
  if (noun === 'metrics' && lane === undefined) return { status: 200, body: desk.metrics() };
  if (noun !== 'lanes') return null;
  if (lane === undefined) return { status: 200, body: { lanes: desk.lanes() } };
  const body = await laneReadingOf(desk, lane, detail);
  return body === null ? null : { status: 200, body };
}

async function laneReadingOf(desk: ControlDesk, lane: string, detail: string | undefined): Promise<object | null> {
  if (detail === undefined) return desk.lane(lane);
  if (detail === 'counts') return desk.counts(lane);
  return detail === 'running' ? desk.running(lane) : null;
}

async function trialAnswerOf(desk: ControlDesk, request: IncomingMessage, words: readonly string[]): Promise<Answer> {
  const [, id, detail] = words;
  const missing = problem(404, 'not_found', 'expected a trial that was started and renewed');
  if (id === undefined) return { status: 200, body: { trials: desk.trials.list() } };
  if (request.method === 'PUT' && detail === undefined) {
    const state = desk.trials.put(id, parseTrialOrder(await readJson(request)));
    return { status: state.release.state === 'ready' ? 200 : 202, body: state };
  }
  if (request.method === 'DELETE' && detail === undefined) {
    return (await desk.trials.stop(id)) ? { status: 200, body: { stopped: id } } : missing;
  }
  const state = desk.trials.get(id);
  if (state === null || request.method !== 'GET') return missing;
  if (detail === 'url') return { status: 200, body: { url: desk.routerUrl(), host: state.host } };
  return detail === undefined ? { status: 200, body: state } : missing;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > BODY_BYTES_MAX) throw badRequest(`body: expected at most ${BODY_BYTES_MAX} bytes, got more`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw badRequest('body: expected JSON');
  }
}

function badRequest(message: string): TargetFailure {
  return new TargetFailure('bad_request', message, { retryable: false });
}

function problemOf(error: unknown): Answer {
  if (error instanceof TargetFailure) return problem(statusByCode[error.code] ?? 500, error.code, error.message);
  if (error instanceof URIError) return problem(400, 'bad_request', 'path: expected valid percent encoding');
  return problem(500, 'errored', messageOf(error));
}

function problem(status: number, code: string, message: string): Answer {
  return { status, body: { code, message } };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': typeof body === 'string' ? METRICS_TYPE : 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

function isAllowed(request: IncomingMessage, token: string): boolean {
  // Hashed first, so that the comparison takes as long for every length and every guess.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${token}`));
}

function isLoopback(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress ?? '';
  return address === '::1' || address.replace('::ffff:', '').startsWith('127.');
}
