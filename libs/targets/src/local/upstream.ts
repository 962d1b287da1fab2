import type { Readable } from 'node:stream';
import { Pool, request } from 'undici';

/** The connections to one release process. Owned by its release: closed when the process is drained. */
export interface Upstream {
  readonly send: (call: UpstreamCall) => Promise<UpstreamAnswer>;
  /** Waits for what is on its way, bounded by the caller, then closes. */
  readonly close: () => Promise<void>;
  readonly destroy: () => Promise<void>;
}

/** One request as it is passed on; the headers are already cleaned. */
export interface UpstreamCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Readable | null;
  readonly signal: AbortSignal;
}

/** The head of the answer and its body as it comes. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

// Node serves thousands of sockets, but one release should not take all of an edge's.
const CONNECTIONS_MAX = 256;
// On loopback a connection that is not there at once will not come.
const CONNECT_TIMEOUT_MS = 2_000;
// Models think long before the first byte, and streams pause; beyond these the release is taken for hung.
const HEAD_TIMEOUT_MS = 60_000;
const PAUSE_TIMEOUT_MS = 300_000;
// Shorter than any server's own: a connection that the release closes under a request would count as its bad event.
const IDLE_TIMEOUT_MS = 1_000;

/** Opens keep-alive connections to a release on its loopback port. */
export function openUpstream(port: number): Upstream {
  const pool = new Pool(`http://127.0.0.1:${port}`, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    keepAliveMaxTimeout: IDLE_TIMEOUT_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: HEAD_TIMEOUT_MS,
    bodyTimeout: PAUSE_TIMEOUT_MS,
  });
  return {
    send: async ({ method, path, headers, body, signal }) => {
      const answer = await pool.request({ method, path, headers, body, signal });
      return { status: answer.statusCode, headers: answer.headers, body: answer.body };
    },
    close: () => pool.close(),
    destroy: () => pool.destroy(),
  };
}

/** Asks a release whether it is well, on a connection of its own; any answer below 400 in time is a yes. */
export async function probeHealth(target: { port: number; path: string; timeoutMs: number }): Promise<boolean> {
  try {
    const answer = await request(`http://127.0.0.1:${target.port}${target.path}`, {
      reset: true,
      signal: AbortSignal.timeout(target.timeoutMs),
    });
    await answer.body.dump();
    return answer.statusCode < 400;
  } catch {
    // Not up yet, hung or gone: the caller counts, it does not ask why.
    return false;
  }
}
