import { Agent, request } from 'undici';
import { messageOf, TargetFailure, type TargetFailureCode } from './failure.ts';
import type { LaneCounts, LaneReport, TrialOrder, TrialState } from './protocol.ts';

/** What a worker may ask an edge: looking at lanes, and short-lived trials. It can not set a weight. */
export interface LocalTarget {
  /** What the edge runs in a lane: fence, served weight, releases. */
  readonly observe: (lane: string) => Promise<LaneReport>;
  /** The same with every tree digest computed from the files now: for comparing before and after a rehearsal. */
  readonly inspect: (lane: string) => Promise<LaneReport>;
  readonly counts: (lane: string) => Promise<LaneCounts>;
  readonly startTrial: (id: string, order: TrialOrder) => Promise<TrialState>;
  readonly renewTrial: (id: string, order: TrialOrder) => Promise<TrialState>;
  readonly trial: (id: string) => Promise<TrialState>;
  /** Settles when its processes are gone; a trial that is not there is fine. */
  readonly stopTrial: (id: string) => Promise<void>;
  /** Where the trial answers, and the Host header it needs there. */
  readonly trialUrl: (id: string) => Promise<{ url: string; host: string }>;
  readonly close: () => Promise<void>;
}

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

const codeByStatus: Readonly<Record<number, TargetFailureCode>> = {
  400: 'bad_request',
  401: 'unauthorised',
  404: 'not_found',
  409: 'conflict',
  429: 'too_many',
};

/** Opens the client of an edge's control port. Every failure is a TargetFailure that says whether to try again. */
export function localTarget(options: { controlUrl: string; token: string; fetchTimeoutMs: number }): LocalTarget {
  const agent = new Agent({ connections: 8, connect: { timeout: options.fetchTimeoutMs } });
  const call = (method: 'GET' | 'PUT' | 'DELETE', path: string, body?: unknown) =>
    callEdge({ ...options, agent, method, path, ...(body === undefined ? {} : { body }) });
  const put = async (id: string, order: TrialOrder) => (await call('PUT', trialPath(id), order)) as TrialState;
  return {
    observe: async (lane) => (await call('GET', `/lanes/${encodeURIComponent(lane)}`)) as LaneReport,
    inspect: async (lane) => (await call('GET', `/lanes/${encodeURIComponent(lane)}/running`)) as LaneReport,
    counts: async (lane) => (await call('GET', `/lanes/${encodeURIComponent(lane)}/counts`)) as LaneCounts,
    startTrial: put,
    renewTrial: put,
    trial: async (id) => (await call('GET', trialPath(id))) as TrialState,
    stopTrial: async (id) => {
      await call('DELETE', trialPath(id)).catch((error: unknown) => {
        if (!(error instanceof TargetFailure) || error.code !== 'not_found') throw error;
      });
    },
    trialUrl: async (id) => {
      const { url, host } = (await call('GET', `${trialPath(id)}/url`)) as { url: string; host: string };
      return { url, host };
    },
    close: () => agent.destroy(),
  };
}

interface EdgeCall {
  readonly controlUrl: string;
  readonly token: string;
  readonly fetchTimeoutMs: number;
  readonly agent: Agent;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

async function callEdge(call: EdgeCall): Promise<unknown> {
  const { status, text } = await send(call);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TargetFailure('bad_answer', `edge: expected JSON, got status ${status}`, {
      retryable: status >= 500,
      cause,
    });
  }
  if (status < 300 && typeof value === 'object' && value !== null) return value;
  const code = codeByStatus[status] ?? 'bad_answer';
  const said = (value as { message?: unknown } | null)?.message;
  const message = `edge: ${typeof said === 'string' ? said.slice(0, 500) : `expected 200, got ${status}`}`;
  throw new TargetFailure(code, message, { retryable: status >= 500 || status === 429 });
}

async function send(call: EdgeCall): Promise<{ status: number; text: string }> {
  try {
    const answer = await request(`${call.controlUrl.replace(/\/+$/, '')}${call.path}`, {
      dispatcher: call.agent,
      method: call.method,
      headers: { authorization: `Bearer ${call.token}`, 'content-type': 'application/json' },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: AbortSignal.timeout(call.fetchTimeoutMs),
    });
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    for await (const part of answer.body) {
      sizeBytes += part.length;
      if (sizeBytes > ANSWER_BYTES_MAX) throw new Error(`expected at most ${ANSWER_BYTES_MAX} bytes, got more`);
      parts.push(part);
    }
    return { status: answer.statusCode, text: Buffer.concat(parts).toString('utf8') };
  } catch (cause) {
    throw new TargetFailure('unreachable', `edge: ${messageOf(cause)}`, { retryable: true, cause });
  }
}

function trialPath(id: string): string {
  return `/trials/${encodeURIComponent(id)}`;
}
