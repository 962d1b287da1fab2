import type { Duplex, Readable } from 'node:stream';
import { Client, Pool } from 'undici';
import { openConversations } from './conversations.ts';

/** Where a release listens: a port of 127.0.0.1, or a socket in a folder that it shares with us. */
export type ReleaseAddress = { readonly port: number } | { readonly socketPath: string };

/** The way to one release, be it a process or a folder. Owned by its keeper: closed when the release is drained. */
export interface Upstream {
  /** Never throws: whatever goes wrong is heard by the listener. */
  readonly send: (call: UpstreamCall, listener: AnswerListener) => void;
  /** Takes note of something that outlives its request, a WebSocket say; call what it gives when that is over. */
  readonly join: (conversation: Conversation) => () => void;
  /** Waits for what is on its way, bounded by the caller, then closes. */
  readonly close: () => Promise<void>;
  /** Ends what is still on its way, conversations properly. */
  readonly destroy: () => Promise<void>;
}

/** One request as it is passed on; the headers are already cleaned, names and values in turn. */
export interface UpstreamCall {
  readonly method: string;
  readonly path: string;
  readonly headers: string[];
  readonly body: Readable | null;
  /** The protocol to change to, or null. */
  readonly upgrade: string | null;
}

/** Holds an answer in the hand: it may be slowed down or given up. */
export interface AnswerFlow {
  readonly pause: () => void;
  readonly resume: () => void;
  readonly abort: (reason: Error) => void;
}

/** The fields of an answer's head. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Hears one answer part by part. The names are those of undici's handlers, so that on the way of a request nothing
 * lies between its client and ours.
 */
export interface AnswerListener {
  onRequestStart: (flow: AnswerFlow) => void;
  /** Heard more than once when informational answers (1xx) come first. */
  onResponseStart: (flow: AnswerFlow, status: number, headers: AnswerHeaders) => void;
  onResponseData: (flow: AnswerFlow, part: Buffer) => void;
  onResponseEnd: (flow: AnswerFlow) => void;
  onResponseError: (flow: AnswerFlow, error: Error) => void;
  onRequestUpgrade: (flow: AnswerFlow, status: number, headers: AnswerHeaders, socket: Duplex) => void;
}

/** What goes on after its request; `leave` ends it because the release goes. */
export interface Conversation {
  readonly leave: () => void;
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

/** Opens keep-alive connections to a release where it listens. */
export function openUpstream(address: ReleaseAddress): Upstream {
  const pool = new Pool(originOf(address), {
    ...connectionOf(address),
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    keepAliveMaxTimeout: IDLE_TIMEOUT_MS,
    headersTimeout: HEAD_TIMEOUT_MS,
    bodyTimeout: PAUSE_TIMEOUT_MS,
  });
  const conversations = openConversations();
  return {
    send: (call, listener) => {
      pool.dispatch(call, listener);
    },
    join: conversations.join,
    close: async () => {
      await Promise.all([pool.close(), conversations.over()]);
    },
    destroy: async () => {
      conversations.leave();
      await pool.destroy();
    },
  };
}

/** Asks a release whether it is well, on a connection of its own; any answer below 400 in time is a yes. */
export async function probeHealth(
  address: ReleaseAddress,
  probe: { path: string; timeoutMs: number },
): Promise<boolean> {
  const client = new Client(originOf(address), connectionOf(address));
  try {
    const { path, timeoutMs } = probe;
    const answer = await client.request({ path, method: 'GET', reset: true, signal: AbortSignal.timeout(timeoutMs) });
    await answer.body.dump();
    return answer.statusCode < 400;
  } catch {
    // Not up yet, hung or gone: the caller counts, it does not ask why.
    return false;
  } finally {
    await client.destroy();
  }
}

function originOf(address: ReleaseAddress): string {
  // A Unix socket has no name; this one only fills the Host header of our own probes.
  return 'port' in address ? `http://127.0.0.1:${address.port}` : 'http://release.localhost';
}

function connectionOf(address: ReleaseAddress): { socketPath?: string; connect: { timeout: number } } {
  const connect = { timeout: CONNECT_TIMEOUT_MS };
  return 'port' in address ? { connect } : { connect, socketPath: address.socketPath };
}
