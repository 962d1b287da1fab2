import type { MetricQuery } from '@proviso/domain';
import { type AllowedReach, AddressRefused, guardedLookup, isRefusedHost, type Resolve } from '@proviso/isolation';
import { type Dispatcher, Pool } from 'undici';
import { readAnswer } from './answer.ts';
import { promqlOf, type QuerySubject } from './promql.ts';
import { type Reading, unread } from './reading.ts';

/** Where an operator says that a Prometheus is. No policy and no prototype has a word in it. */
export interface PrometheusPlace {
  readonly url: URL;
  readonly reach: AllowedReach;
  /** Read before every question, since tokens are changed while we run; null: none is asked for. */
  readonly readToken: (() => Promise<string>) | null;
  readonly resolve?: Resolve;
}

/** One Prometheus, or what speaks as it does. */
export interface Prometheus {
  /** Never throws: whatever goes wrong is a reason why there are no numbers. */
  readonly ask: (query: MetricQuery, subject: QuerySubject) => Promise<Reading>;
  readonly close: () => Promise<void>;
}

/** From the name's resolution to the last byte. A look is seconds, and a slow drip of bytes must not stretch it. */
const answerMsMax = 2_000;

/** Of the names of a whole histogram this is a hundred times as much. */
const answerBytesMax = 1_048_576;

/** A canary asks about two arms at once; several canaries wait for each other. */
const connectionsMax = 4;

/** Opens nothing yet: connections are made when somebody asks. */
export function openPrometheus(place: PrometheusPlace): Prometheus {
  const { url, reach, resolve } = place;
  const pool = new Pool(url.origin, {
    connections: connectionsMax,
    pipelining: 1,
    headersTimeout: answerMsMax,
    bodyTimeout: answerMsMax,
    connect: { lookup: guardedLookup(reach, resolve), timeout: answerMsMax },
  });
  return {
    ask: async (query, subject) => {
      if (isRefusedHost(url, reach)) return unread('address_refused');
      const token = await tokenOf(place);
      if (token === undefined) return unread('token_unreadable');
      try {
        return await ask(pool, { url, token, promql: promqlOf(query, subject) });
      } catch (error) {
        return unread(isAddressRefused(error) ? 'address_refused' : 'away');
      }
    },
    close: async () => await pool.destroy(),
  };
}

/** Null when none is asked for, undefined when it is not to be had. */
async function tokenOf({ readToken }: PrometheusPlace): Promise<string | null | undefined> {
  return readToken === null ? null : await readToken().catch(() => undefined);
}

interface Question {
  readonly url: URL;
  readonly token: string | null;
  readonly promql: string;
}

async function ask(pool: Pool, { url, token, promql }: Question): Promise<Reading> {
  const answer = await pool.request({
    method: 'POST',
    path: `${url.pathname.replace(/\/$/, '')}/api/v1/query`,
    headers: {
      accept: 'application/json',
      // Packed bytes could unfold to more than is read.
      'accept-encoding': 'identity',
      'content-type': 'application/x-www-form-urlencoded',
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    // What nobody waits for any more need not be worked out.
    body: new URLSearchParams({ query: promql, timeout: `${answerMsMax}ms` }).toString(),
    signal: AbortSignal.timeout(answerMsMax),
  });
  const body = await bytesOf(answer);
  if (body === null) return unread('too_large');
  return readStatus(answer) ?? readBody(answer, body);
}

/** Redirects are not followed by this client, whatever they say: the address was the operator's word. */
function readStatus({ statusCode }: Dispatcher.ResponseData): Reading | null {
  if (statusCode >= 300 && statusCode < 400) return unread('redirected');
  if (statusCode === 401 || statusCode === 403) return unread('not_let_in');
  // The protocol's own: a query that cannot be read, and one that cannot be carried out.
  if (statusCode === 400 || statusCode === 422) return unread('query_refused');
  if (statusCode === 200) return null;
  // Busy or broken it may come back; whoever has no such page is not it.
  return unread(statusCode >= 500 || statusCode === 429 ? 'away' : 'not_understood');
}

function readBody({ headers }: Dispatcher.ResponseData, body: Buffer): Reading {
  const type = String(headers['content-type'] ?? '').split(';')[0];
  if (type?.trim().toLowerCase() !== 'application/json' || headers['content-encoding'] !== undefined)
    return unread('not_understood');
  try {
    return readAnswer(JSON.parse(body.toString('utf8')));
  } catch (error) {
    if (error instanceof SyntaxError) return unread('not_understood');
    throw error;
  }
}

/** Null when there is more than anybody needs; the rest is not read, and the connection is given up. */
async function bytesOf({ body }: Dispatcher.ResponseData): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > answerBytesMax) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function isAddressRefused(error: unknown): boolean {
  return error instanceof AddressRefused || (error instanceof Error && isAddressRefused(error.cause));
}
