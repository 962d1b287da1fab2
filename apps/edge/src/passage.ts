import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Duplex, type Readable, Transform } from 'node:stream';
import type { AnswerFlow, AnswerHeaders, AnswerListener, Endpoint } from '@proviso/targets';
import type { Visit } from './counts.ts';
import { type RequestHead, releaseHeadersOf, visitorHeadersOf } from './headers.ts';
import { type Page, sendPage } from './pages.ts';
import { openTunnel } from './tunnel.ts';
import { Veil } from './veil.ts';

/** How much a router may have under way, and how much it has. */
export interface Load {
  requests: number;
  sockets: number;
}

/** One request on its way to one release. */
export interface Journey {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  readonly endpoint: Endpoint;
  /** Where the outcome is counted; null for a trial, which belongs to no lane. */
  readonly visit: Visit | null;
  readonly cookie: string | null;
  /** The bytes behind the head of a request for a WebSocket; null for all others. */
  readonly early: Buffer | null;
  /** A gate asks: what it sees is kept, so secrets are blanked. */
  readonly isGate: boolean;
  readonly limits: PassageLimits;
  readonly load: Load;
}

/** What bounds one request and its answer. */
export interface PassageLimits {
  readonly bodyBytesMax: number;
  readonly socketIdleMs: number;
  readonly patienceMs: number;
}

// Copying more than this costs more than the second buffer does.
const JOINED_BYTES_MAX = 16 * 1024;

class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

class VisitorGone extends Error {
  override readonly name = 'VisitorGone';
}

/** Passes a request on and the answer back as it comes. Never throws; the visitor gets an answer or is gone. */
export function passOn(journey: Journey): void {
  const { request, endpoint, head, limits, isGate } = journey;
  const passage = new Passage(journey);
  endpoint.upstream.send(
    {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: releaseHeadersOf(head, request.socket.remoteAddress),
      body: head.body === 0 ? null : boundedBodyOf(request, limits.bodyBytesMax),
      upgrade: journey.early === null ? null : 'websocket',
    },
    isGate && endpoint.withheld.length > 0 ? new Veil(passage, endpoint.withheld) : passage,
  );
}

/**
 * Hears the release and speaks to the visitor. A class, since one is made for each request: its methods are shared,
 * where functions closed over the state would be made anew each time.
 */
class Passage implements AnswerListener {
  readonly #journey: Journey;
  readonly #startedMs = performance.now();
  #flow: AnswerFlow | null = null;
  /** The first part, kept back for a moment: most answers are whole by then and go out in one packet. */
  #first: Buffer | null = null;
  #isFlushed = false;
  #isStream = false;
  #isOver = false;

  constructor(journey: Journey) {
    this.#journey = journey;
    journey.load.requests += 1;
    journey.response.once('close', () => this.#leave());
  }

  onRequestStart(flow: AnswerFlow): void {
    this.#flow = flow;
    if (this.#isOver) flow.abort(new VisitorGone());
  }

  onResponseStart(_flow: AnswerFlow, status: number, headers: AnswerHeaders): void {
    if (status < 200 || this.#isOver) return;
    const { response, cookie } = this.#journey;
    this.#count(status);
    response.writeHead(status, visitorHeadersOf(headers, cookie));
    this.#isStream = String(headers['content-type'] ?? '').startsWith('text/event-stream');
    // After what has arrived together is heard: a stream whose first word is late still shows its head at once.
    queueMicrotask(() => this.#flush());
  }

  onResponseData(flow: AnswerFlow, part: Buffer): void {
    if (this.#isOver) return;
    if (!this.#isFlushed && this.#first === null) this.#first = part;
    else {
      this.#flush();
      this.#write(flow, part);
    }
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { response } = this.#journey;
    const first = this.#first;
    if (first === null) response.end();
    // As text that a byte of it is a letter of, Node joins it with the head: one buffer to send instead of two.
    else if (first.length <= JOINED_BYTES_MAX) response.end(first.toString('latin1'), 'latin1');
    else response.end(first);
    this.#isFlushed = true;
  }

  onResponseError(_flow: AnswerFlow, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { request, response, visit, cookie, head } = this.#journey;
    const page = request.errored === null ? pageOf(error) : null;
    if (page === null || page === 'too_large' || page === 'bad_request') visit?.aborted();
    else visit?.bad();
    if (!response.headersSent && page !== null) return sendPage(response, page, { cookie, head });
    // A cut is shown as a cut, but for event streams, whose readers come again: when we end them it is the release's time.
    if (this.#isStream && codeOf(error) === 'UND_ERR_DESTROYED') response.end();
    else response.destroy();
  }

  onRequestUpgrade(_flow: AnswerFlow, status: number, headers: AnswerHeaders, socket: Duplex): void {
    const { request, response, endpoint, cookie, early, limits, load, visit } = this.#journey;
    if (this.#isOver || early === null) {
      socket.destroy();
      return;
    }
    this.#isOver = true;
    this.#count(status);
    response.detachSocket(request.socket);
    load.requests -= 1;
    load.sockets += 1;
    openTunnel({
      visitor: request.socket,
      release: socket,
      early,
      upstream: endpoint.upstream,
      headers,
      cookie,
      idleMs: limits.socketIdleMs,
      onBroken: () => visit?.bad(),
      onOver: () => {
        load.sockets -= 1;
      },
    });
  }

  #count(status: number): void {
    const { visit, endpoint } = this.#journey;
    visit?.answered(performance.now() - this.#startedMs);
    if (status >= endpoint.errorStatusMin) visit?.bad();
  }

  #flush(): void {
    if (this.#isFlushed || this.#isOver) return;
    this.#isFlushed = true;
    const first = this.#first;
    if (first === null) this.#journey.response.flushHeaders();
    else if (this.#flow !== null) this.#write(this.#flow, first);
    this.#first = null;
  }

  #write(flow: AnswerFlow, part: Buffer): void {
    const { response } = this.#journey;
    if (response.write(part)) return;
    flow.pause();
    response.once('drain', () => flow.resume());
  }

  /** The visitor's end is over, by having everything or by going away. */
  #leave(): void {
    this.#journey.load.requests -= 1;
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#wasWaitedFor()) this.#journey.visit?.bad();
    else this.#journey.visit?.aborted();
    this.#flow?.abort(new VisitorGone());
  }

  /** A release that hangs answers nobody: without this it would have no failure as long as nobody stays to the end. */
  #wasWaitedFor(): boolean {
    const { request, response, limits } = this.#journey;
    return request.complete && !response.headersSent && performance.now() - this.#startedMs >= limits.patienceMs;
  }
}

/**
 * The body by way of a stream of its own: undici destroys what it was given when a release fails, and destroying the
 * request itself would hang up on the visitor and look as if the visitor had left.
 */
function boundedBodyOf(request: IncomingMessage, bytesMax: number): Readable {
  let sizeBytes = 0;
  const counted = new Transform({
    transform: (part: Buffer, _encoding, done) => {
      sizeBytes += part.length;
      if (sizeBytes > bytesMax) done(new BodyTooLarge());
      else done(null, part);
    },
  });
  request.once('error', (error) => counted.destroy(error));
  // The failure reaches us through the call that reads this; an unheard one would end the edge.
  counted.on('error', () => request.unpipe(counted));
  return request.pipe(counted);
}

/** Whose fault it was decides what is said, and whether it counts against the release. */
function pageOf(error: Error): Page {
  if (error instanceof BodyTooLarge) return 'too_large';
  const code = codeOf(error);
  // A head that cannot be passed on is the visitor's doing, and must not condemn a release.
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return 'bad_request';
  return code === 'UND_ERR_HEADERS_TIMEOUT' ? 'release_slow' : 'release_failed';
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}

/** A response on a socket that has left HTTP, for a WebSocket that may yet be refused in HTTP's words. */
export function assignResponse(response: ServerResponse, socket: Socket): void {
  socket.on('error', () => socket.destroy());
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.end());
}
