import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, type Problem, connect } from '@proviso/client';
import { exitCodeOfProblem, exitCodes } from './exit-code.ts';
import { Trouble } from './trouble.ts';
import { whoWords } from './who-can.ts';

/** Where the API answers and in whose name we speak. */
export interface Connection {
  readonly url: string;
  readonly token: string;
}

/** What the generated calls take beside their path and body. */
export interface ReadOptions {
  readonly client: Client;
  readonly signal: AbortSignal;
  /** A redirect would carry the token elsewhere. */
  readonly redirect: 'error';
}

/** A write carries a key, and its retries carry the same one: it is recorded at most once. */
export interface WriteOptions extends ReadOptions {
  readonly headers: { readonly 'Idempotency-Key': string };
}

/** What a generated call comes back with. */
interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response?: Response | undefined;
}

/** The API through its generated client, with retries and with refusals as troubles. */
export interface Api {
  /** Where it answers; its pages for people are there, too. */
  readonly url: string;
  read<T>(ask: (options: ReadOptions) => Promise<Answer<T>>): Promise<NonNullable<T>>;
  write<T>(ask: (options: WriteOptions) => Promise<Answer<T>>): Promise<NonNullable<T>>;
}

/** A refusal of the API as a person may see it; `code` is closed and `whoCan` says who else could do it. */
export class ApiRefusal extends Trouble {
  readonly code: string;
  readonly status: number;

  constructor(problem: Problem, url: string) {
    const places = (problem.errors ?? []).slice(0, PLACES_SHOWN_MAX).map((each) => `${each.pointer}: ${each.message}`);
    super([`${problem.detail} (${problem.code})`, ...places].join('\n  '), {
      exitCode: exitCodeOfProblem(problem),
      ...adviceFor(problem, url),
    });
    this.code = problem.code;
    this.status = problem.status;
  }
}

/** More mistakes than this at once help nobody to mend the first. */
const PLACES_SHOWN_MAX = 10;
/** An upload of the largest archive on a slow disk takes about this long. */
const CALL_TIMEOUT_MS = 60_000;
/** Restarting servers are back within seconds; longer is an outage that a person should hear about. */
const TRIES_MAX = 5;
const RETRY_PAUSE_MS = 300;
/** Nothing was recorded, or the same key will tell: these may be sent again. */
const retryable = new Set([502, 503, 504]);

/** Opens the API; no call is made yet. `interrupted` ends whatever is under way. */
export function openApi(connection: Connection, interrupted: AbortSignal): Api {
  const client = connect({ baseUrl: connection.url, token: connection.token });
  const options = (): ReadOptions => ({
    client,
    signal: AbortSignal.any([interrupted, AbortSignal.timeout(CALL_TIMEOUT_MS)]),
    redirect: 'error',
  });
  const call = async <T>(ask: () => Promise<Answer<T>>) => await persist(ask, { url: connection.url, interrupted });
  return {
    url: connection.url.replace(/\/+$/, ''),
    read: async (ask) => await call(() => ask(options())),
    write: async (ask) => {
      const headers = { 'Idempotency-Key': randomUUID() };
      return await call(() => ask({ ...options(), headers }));
    },
  };
}

/** Asks again while nobody answers or the server says that it may be over soon. */
async function persist<T>(
  ask: () => Promise<Answer<T>>,
  { url, interrupted }: { readonly url: string; readonly interrupted: AbortSignal },
): Promise<NonNullable<T>> {
  for (let tries = 1; ; tries += 1) {
    const { data, error, response } = await ask();
    if (interrupted.aborted) throw new Trouble('interrupted', { exitCode: exitCodes.interrupted });
    if (response?.ok && data !== undefined && data !== null && error === undefined) return data;
    const mayPass = response === undefined || retryable.has(response.status);
    if (!mayPass || tries === TRIES_MAX) throw troubleOf(error, { response, url });
    await delay(RETRY_PAUSE_MS * tries);
  }
}

function troubleOf(
  error: unknown,
  { response, url }: { readonly response: Response | undefined; readonly url: string },
): Trouble {
  if (response === undefined) {
    return new Trouble(`expected the API to answer at ${url}, got no answer`, {
      advice: 'Is it running? `proviso up` starts one here; `proviso doctor` tells what is missing.',
      cause: error,
    });
  }
  if (isProblem(error)) return new ApiRefusal({ ...error, status: response.status }, url);
  return new Trouble(
    `expected an answer of Proviso's API at ${url}, got status ${response.status} with something else`,
    {
      advice: 'Is the address right? See --url and PROVISO_URL.',
      ...(response.status === 401 && { exitCode: exitCodes.unauthenticated }),
    },
  );
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value;
}

function adviceFor(problem: Problem, url: string): { readonly advice: string } | Record<never, never> {
  const { whoCan, status, code, decideUrl } = problem;
  if (decideUrl !== undefined) return { advice: `Log in and decide there: ${new URL(decideUrl, url).href}` };
  if (whoCan !== undefined && whoCan.length > 0) return { advice: `Who can: ${whoWords(whoCan)}.` };
  if (status === 401)
    return { advice: 'Give a valid token with --token or PROVISO_TOKEN, or a local person with --as.' };
  if (code === 'stale_evidence' || code === 'stale_attempt')
    return { advice: 'Something changed since you looked: run `proviso status` and decide again.' };
  if (status === 404) return { advice: 'Look at its id again: `proviso status` lists the latest promotions.' };
  return {};
}
