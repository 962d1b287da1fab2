import { Agent, type Dispatcher, request } from 'undici';
import type { BlobSource } from './artifact.ts';
import { messageOf, TargetFailure } from './failure.ts';
import { parseOrders } from './orders.ts';
import type { EdgeOrders, EdgeReport } from './protocol.ts';

/** The edge's only way to the API: it asks, nothing calls it. */
export interface EdgeFeed {
  /** Reports and receives the orders; throws a TargetFailure and changes nothing when the API is away. */
  readonly poll: (report: EdgeReport) => Promise<EdgeOrders>;
  readonly blobs: BlobSource;
  readonly close: () => Promise<void>;
}

// A poll that takes longer than this tells less than the next one would.
const POLL_TIMEOUT_MS = 5_000;
// Between two parts of a blob; the whole may take longer.
const BLOB_TIMEOUT_MS = 15_000;
const ORDERS_BYTES_MAX = 4 * 1024 * 1024;

/** Opens the feed. Redirects are not followed, so the token goes nowhere else. */
export function openEdgeFeed(options: { apiUrl: string; token: string }): EdgeFeed {
  const agent = new Agent({ connections: 16, connect: { timeout: POLL_TIMEOUT_MS } });
  const base = options.apiUrl.replace(/\/+$/, '');
  const headers = { authorization: `Bearer ${options.token}` };
  return {
    poll: async (report) => {
      const answer = await attempt(() =>
        request(`${base}/v1/edge/orders`, {
          dispatcher: agent,
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(report),
          signal: AbortSignal.timeout(POLL_TIMEOUT_MS),
        }),
      );
      await assertOk(answer, 'orders');
      return parseOrders(await attempt(() => readJson(answer.body)));
    },
    blobs: async (digest) => {
      const answer = await attempt(() =>
        request(`${base}/v1/edge/blobs/${digest}`, {
          dispatcher: agent,
          headers,
          headersTimeout: BLOB_TIMEOUT_MS,
          bodyTimeout: BLOB_TIMEOUT_MS,
        }),
      );
      await assertOk(answer, digest);
      return answer.body;
    },
    close: () => agent.destroy(),
  };
}

async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of body) {
    sizeBytes += part.length;
    if (sizeBytes > ORDERS_BYTES_MAX) throw new Error(`expected at most ${ORDERS_BYTES_MAX} bytes, got more`);
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}

async function attempt<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    throw new TargetFailure('unreachable', `api: ${messageOf(cause)}`, { retryable: true, cause });
  }
}

async function assertOk(answer: Dispatcher.ResponseData, what: string): Promise<void> {
  if (answer.statusCode === 200) return;
  await answer.body.dump().catch(() => undefined);
  const message = `${what}: expected 200, got ${answer.statusCode}`;
  // A blob that is not there yet may arrive, and a token may be put right: the edge asks again either way.
  if (answer.statusCode === 401 || answer.statusCode === 403) {
    throw new TargetFailure('unauthorised', message, { retryable: true });
  }
  throw new TargetFailure(answer.statusCode === 404 ? 'not_found' : 'bad_answer', message, { retryable: true });
}
