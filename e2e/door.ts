import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/** A change that the API has acknowledged: it must never be lost and never be doubled. */
export interface Acknowledged {
  readonly person: string;
  /** As the journal stores it: the hash of the whole key. */
  readonly keyHash: string;
  /** Ids of the entries that the answer names, when it names any. */
  readonly entries: readonly number[];
  readonly decision: string | null;
}

/** An answer that is no success; `code` is closed. */
export class Refused extends Error {
  readonly code: string;
  readonly status: number;

  constructor(status: number, problem: { code?: string; detail?: string }) {
    super(`${status} ${problem.code ?? 'no code'}: ${problem.detail ?? ''}`);
    this.code = problem.code ?? '';
    this.status = status;
  }
}

/** One person's way to the API, with retries under the same key as every client should. */
export interface Door {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

/** A restart of everything at once takes less; longer is an outage and the test should hear of it. */
const patienceMs = 90_000;
const againMs = 200;
const callMsMax = 8_000;

/** Opens a door; every acknowledged change is written into `ledger`, which the checker reads. */
export function openDoor(
  apiUrl: string,
  person: { readonly id: string; readonly token: string },
  ledger: Acknowledged[],
): Door {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const key = randomUUID();
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const answer = await send(apiUrl + path, { method, token: person.token, key, body }).catch(() => null);
      const again = answer === null || answer.status === 503 || answer.status === 429;
      if (!again || performance.now() > deadline) {
        if (answer === null) throw new Error(`expected an answer to ${method} ${path}, got none`);
        if (!answer.ok) throw new Refused(answer.status, answer.value as { code?: string });
        if (method === 'POST') ledger.push(acknowledged(person.id, key, answer.value));
        return answer.value as T;
      }
      await pause(againMs);
    }
  };
  return {
    get: async (path) => await call('GET', path),
    post: async (path, body) => await call('POST', path, body),
  };
}

function acknowledged(person: string, key: string, value: unknown): Acknowledged {
  const { entries, decision } = value as { entries?: readonly number[]; decision?: string };
  const keyHash = createHash('sha256').update(`rest/${person}/${key}`).digest('hex');
  return { person, keyHash, entries: entries ?? [], decision: typeof decision === 'string' ? decision : null };
}

async function send(
  url: string,
  { method, token, key, body }: { method: string; token: string; key: string; body: unknown },
): Promise<{ status: number; ok: boolean; value: unknown }> {
  const isForm = body instanceof FormData;
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'idempotency-key': key,
      ...(body !== undefined && !isForm && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(callMsMax),
  });
  const text = await response.text();
  return { status: response.status, ok: response.ok, value: text === '' ? null : JSON.parse(text) };
}
