import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Endpoint, UpstreamAnswer } from '@proviso/targets';
import type { Visit } from './counts.ts';
import { requestHeadersOf, responseHeadersOf } from './headers.ts';
import { sendPage } from './pages.ts';

/** One request on its way to one release. */
export interface Passage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly endpoint: Endpoint;
  /** Where the outcome is counted; null for a trial, which belongs to no lane. */
  readonly visit: Visit | null;
  readonly cookie: string | null;
  readonly bodyBytesMax: number;
}

class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** Passes a request on and streams the answer back; settles when the visitor has it or is gone. Never throws. */
export async function passOn(passage: Passage): Promise<void> {
  const { response, endpoint, visit, cookie } = passage;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const startedMs = performance.now();
  let answer: UpstreamAnswer;
  try {
    answer = await send(passage, gone.signal);
  } catch (error) {
    return failBeforeHead(passage, { error, visitorGone: gone.signal.aborted });
  }
  visit?.answered(performance.now() - startedMs);
  if (answer.status >= endpoint.errorStatusMin) visit?.bad();
  let visitorWentFirst = false;
  // A broken pipeline destroys both ends, so who broke it can be told only at this moment.
  answer.body.once('error', () => {
    visitorWentFirst = gone.signal.aborted;
  });
  try {
    response.writeHead(answer.status, responseHeadersOf(answer.headers, cookie));
    await pipeline(answer.body, response);
  } catch {
    if (visitorWentFirst || answer.body.errored === null) visit?.aborted();
    else visit?.bad();
    answer.body.destroy();
    response.destroy();
  }
}

function send(passage: Passage, signal: AbortSignal): Promise<UpstreamAnswer> {
  const { request, endpoint } = passage;
  const body = bodyOf(request, passage.bodyBytesMax);
  return endpoint.upstream.send({
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: requestHeadersOf(request, body !== null),
    body,
    signal,
  });
}

/**
 * The body by way of a stream of its own: undici destroys what it was given when a release fails, and destroying the
 * request itself would hang up on the visitor and look as if the visitor had left.
 */
function bodyOf(request: IncomingMessage, bytesMax: number): Readable | null {
  const { headers } = request;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return null;
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

function failBeforeHead(passage: Passage, failure: { error: unknown; visitorGone: boolean }): void {
  const { request, response, visit, cookie } = passage;
  const { error } = failure;
  if (error instanceof BodyTooLarge) {
    visit?.aborted();
    return sendPage(response, 'too_large', cookie);
  }
  if (failure.visitorGone || request.errored !== null) {
    visit?.aborted();
    return;
  }
  visit?.bad();
  const slow = error instanceof Error && 'code' in error && error.code === 'UND_ERR_HEADERS_TIMEOUT';
  sendPage(response, slow ? 'release_slow' : 'release_failed', cookie);
}
