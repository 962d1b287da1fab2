import type { HttpFetch } from './ports.ts';
import { excerpt, withhold } from './redaction.ts';

/** One request to a running release. The path is appended to the base address as it is and cannot name another host. */
export interface ExchangeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What came back. No answer is a fact about the release, not yet a breakage: the gate asks for its health first. */
export type Exchanged =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'no_answer'; readonly why: 'timeout' | 'broken_off' };

/** What an answer must be like. All that is given must hold. */
export interface Expectation {
  readonly status?: number;
  readonly contains?: string;
  readonly notContains?: string;
}

/** Where requests go and how long each may take. */
export interface Route {
  readonly baseUrl: string;
  readonly fetch: HttpFetch;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** More of an answer is neither checked nor kept; a release may not fill our memory. */
export const bodyBytesMax = 256 * 1024;

/** Sends one request and reads a bounded answer. Throws only when the caller gave up. */
export async function exchange(route: Route, request: ExchangeRequest): Promise<Exchanged> {
  const deadline = AbortSignal.timeout(route.timeoutMs);
  const signal = AbortSignal.any([deadline, route.signal]);
  try {
    const answer = await route.fetch(route.baseUrl.replace(/\/+$/, '') + request.path, {
      method: request.method,
      headers: headersOf(request),
      redirect: 'manual',
      signal,
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    return { kind: 'answered', status: answer.status, body: await bodyOf(answer.body) };
  } catch {
    // The cause may quote the answer; which of the two kinds it was is all that a verdict needs.
    route.signal.throwIfAborted();
    return { kind: 'no_answer', why: deadline.aborted ? 'timeout' : 'broken_off' };
  }
}

/**
 * Null when the answer is as expected; otherwise what was expected and got, in words, bounded and without secrets or what
 * is withheld.
 */
export function mismatchOf(expected: Expectation, answer: Exchanged, withheld: readonly string[] = []): string | null {
  if (answer.kind === 'no_answer') {
    return answer.why === 'timeout'
      ? 'expected an answer, got none in time'
      : 'expected an answer, got a broken connection';
  }
  const got = `got status ${answer.status} with "${excerpt(withhold(answer.body, withheld))}"`;
  if (expected.status !== undefined && answer.status !== expected.status) {
    return `expected status ${expected.status}, ${got}`;
  }
  if (expected.contains !== undefined && !answer.body.includes(expected.contains)) {
    return `expected an answer that contains "${excerpt(expected.contains)}", ${got}`;
  }
  if (expected.notContains !== undefined && answer.body.includes(expected.notContains)) {
    return `expected an answer without "${excerpt(expected.notContains)}", ${got}`;
  }
  return null;
}

/** The request as a person would write it down. */
export function requestText(request: ExchangeRequest): string {
  const body = request.body === undefined ? '' : ` ${excerpt(request.body)}`;
  return `${request.method} ${excerpt(request.path, 80)}${body}`;
}

function headersOf(request: ExchangeRequest): Record<string, string> {
  const typed = Object.keys(request.headers).some((name) => name.toLowerCase() === 'content-type');
  return request.body === undefined || typed
    ? { ...request.headers }
    : { 'content-type': 'application/json', ...request.headers };
}

async function bodyOf(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    // Leaving the loop cancels the rest of the answer.
    if (sizeBytes >= bodyBytesMax) break;
  }
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, bodyBytesMax));
}
