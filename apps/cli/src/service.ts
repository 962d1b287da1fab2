import { setTimeout as delay } from 'node:timers/promises';

/** What a service runs as at the moment; servers and apps of ours both look like this. */
export interface RunningService {
  readonly pid: number;
  stop(): Promise<void>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** How to start one part of a deployment, and whom to tell about its life. */
export interface ServiceOptions {
  readonly name: string;
  readonly start: () => Promise<RunningService>;
  readonly say: (words: string) => void;
  /** Called once when it was restarted too often: the deployment is then no longer whole. */
  readonly gaveUp: (name: string) => void;
  readonly backoffMsMin?: number;
  readonly restartsMax?: number;
}

/** One part of a deployment, kept alive. */
export interface Service {
  readonly name: string;
  /** Zero while it is between two lives. */
  readonly pid: () => number;
  /** Ends it so that it starts anew; without effect while it is between two lives. */
  restart(): Promise<void>;
  /** Ends it for good; safe to call in any state. */
  stop(): Promise<void>;
}

/** The first restart is nearly at once: most deaths are single ones. */
const BACKOFF_MS_MIN = 250;
/** Slower than this nobody waits for it any more. */
const BACKOFF_MS_MAX = 10_000;
/** A part that dies this often in a row is broken, and starting it again only fills its log. */
const RESTARTS_MAX = 8;
/** One that lived this long counts as healthy again. */
const HEALTHY_AFTER_MS = 60_000;

/** Starts a part and starts it again whenever it dies, until it is stopped. Throws when the first start fails. */
export async function startService(options: ServiceOptions): Promise<Service> {
  let running: RunningService | null = await options.start();
  const ending = new AbortController();
  let asked = false;
  const over = keepAlive(options, running, {
    ending: ending.signal,
    now: (next) => {
      running = next;
    },
    wasAsked: () => {
      const before = asked;
      asked = false;
      return before;
    },
  });
  return {
    name: options.name,
    pid: () => running?.pid ?? 0,
    restart: async () => {
      if (running === null || ending.signal.aborted) return;
      asked = true;
      await running.stop();
    },
    stop: async () => {
      ending.abort();
      await running?.stop();
      await over;
    },
  };
}

interface Life {
  readonly ending: AbortSignal;
  readonly now: (running: RunningService | null) => void;
  /** True once after each wish to start anew. */
  readonly wasAsked: () => boolean;
}

async function keepAlive(options: ServiceOptions, first: RunningService, life: Life): Promise<void> {
  let running: RunningService | null = first;
  let startedAtMs = performance.now();
  let restarts = 0;
  for (;;) {
    if (running !== null) {
      const exit = await running.exited;
      life.now(null);
      if (life.ending.aborted) return;
      const how = exit.signal ?? `code ${exit.code}`;
      const asked = life.wasAsked();
      options.say(`${options.name} ${asked ? 'ended as asked' : `ended unexpectedly (${how})`} and is started again`);
      if (asked || performance.now() - startedAtMs > HEALTHY_AFTER_MS) restarts = 0;
    }
    if (restarts === (options.restartsMax ?? RESTARTS_MAX)) return options.gaveUp(options.name);
    const pauseMs = Math.min((options.backoffMsMin ?? BACKOFF_MS_MIN) * 2 ** restarts, BACKOFF_MS_MAX);
    restarts += 1;
    await delay(pauseMs, undefined, { signal: life.ending }).catch(() => undefined);
    if (life.ending.aborted) return;
    running = await startAgain(options);
    startedAtMs = performance.now();
    life.now(running);
    // A stop that came while it was starting found nobody to end.
    if (life.ending.aborted) return await running?.stop();
  }
}

async function startAgain(options: ServiceOptions): Promise<RunningService | null> {
  try {
    const running = await options.start();
    options.say(`${options.name} is back (process ${running.pid})`);
    return running;
  } catch (error) {
    options.say(`${options.name} did not start again: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
