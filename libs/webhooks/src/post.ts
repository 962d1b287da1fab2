import { type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { type AllowedReach, AddressRefused, guardedLookup, isRefusedHost, type Resolve } from '@proviso/isolation';

/** Why an event was not taken: a closed list, since nothing that a stranger answered is kept or shown. */
export type PostFailure = 'address_refused' | 'redirected' | 'answered' | 'timeout' | 'too_large' | 'unreachable';

/** What came of one try. `gone`: the other side says that it wants nothing more, ever. */
export interface Posted {
  readonly kind: 'taken' | 'failed' | 'gone';
  readonly status: number | null;
  readonly failure: PostFailure | null;
  /** How long the other side asks us to wait. */
  readonly retryAfterMs: number | null;
}

/** Which addresses may be posted to, and how names are looked up. */
export interface PostRules {
  readonly reach: AllowedReach;
  readonly resolve?: Resolve;
}

/** One try. */
export interface Post {
  readonly address: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** From the look-up of the name to the last byte of the answer: whoever has more to do does it afterwards. */
export const answerMsMax = 5_000;

/** An answer is thrown away; more than this is no answer. */
export const answerBytesMax = 1_048_576;

/** Longer requests to wait are no use to anybody: retries are an hour apart at most. */
const retryAfterSecondsMax = 86_400;

/**
 * Posts once, to the very address that the name was checked by, on a connection of its own: no redirect, no proxy, no
 * cookie, and nothing that is answered goes anywhere. Never throws: whatever goes wrong is a reason to try again.
 */
export async function post({ reach, resolve }: PostRules, { address, headers, body, signal }: Post): Promise<Posted> {
  if (isRefusedHost(address, reach)) return failed('address_refused');
  const deadline = AbortSignal.timeout(answerMsMax);
  const open = address.protocol === 'https:' ? overHttps : overHttp;
  const bytes = Buffer.from(body);
  const asked = open(address, {
    method: 'POST',
    agent: false,
    lookup: guardedLookup(reach, resolve),
    signal: AbortSignal.any([signal, deadline]),
    headers: {
      ...headers,
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'content-length': bytes.length,
      'user-agent': 'proviso-webhooks/1',
      'accept-encoding': 'identity',
    },
  });
  try {
    const answer = await answerTo(asked, bytes);
    return (await isShort(answer)) ? read(answer) : failed('too_large', answer.statusCode);
  } catch (error) {
    if (error instanceof AddressRefused) return failed('address_refused');
    return failed(deadline.aborted ? 'timeout' : 'unreachable');
  } finally {
    asked.destroy();
  }
}

function answerTo(asked: ClientRequest, bytes: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.once('response', resolve);
    // Stays for the life of the request: it may break again after its answer has begun.
    asked.on('error', reject);
    // Whoever wants to speak another protocol, or says nothing and hangs up, gives neither an answer nor an error.
    asked.once('close', () => reject(new Error('expected an answer, got a closed line')));
    asked.end(bytes);
  });
}

/** Reads to the end, so that a broken answer is none; false when there is too much of it. */
async function isShort(answer: IncomingMessage): Promise<boolean> {
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > answerBytesMax) return false;
  }
  return true;
}

function read({ statusCode: status = 0, headers }: IncomingMessage): Posted {
  if (status >= 200 && status < 300) return { kind: 'taken', status, failure: null, retryAfterMs: null };
  if (status === 410) return { kind: 'gone', status, failure: 'answered', retryAfterMs: null };
  if (status >= 300 && status < 400) return failed('redirected', status);
  const seconds = /^\d{1,9}$/.test(headers['retry-after'] ?? '') ? Number(headers['retry-after']) : 0;
  const retryAfterMs = Math.min(seconds, retryAfterSecondsMax) * 1_000;
  return { ...failed('answered', status), retryAfterMs: retryAfterMs > 0 ? retryAfterMs : null };
}

function failed(failure: PostFailure, status: number | null = null): Posted {
  return { kind: 'failed', status, failure, retryAfterMs: null };
}
