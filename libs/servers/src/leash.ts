import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { LeashOrder } from './leash-process.ts';
import { ServerFailure } from './server-failure.ts';

/** What to start and how to know that it is there. */
export interface LeashOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The child's whole environment; nothing is inherited, so that no secret of ours reaches a server. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Called with each line the child prints. */
  readonly onLine?: (line: string) => void;
  /** The start is over at the first line for which this is true; without it, as soon as the child runs. */
  readonly readyWhen?: (line: string) => boolean;
  readonly readyTimeoutMs?: number;
  /** The polite signal. What has not ended `stopTimeoutMs` later is killed. */
  readonly stopSignal?: NodeJS.Signals;
  readonly stopTimeoutMs?: number;
  /** A folder that is deleted once the child has ended, however it ended. */
  readonly removeAfter?: string;
}

/** How a child ended. */
export interface LeashedExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running child that cannot outlive this process. */
export interface Leashed {
  /** The child's own process id, not the leash's. */
  readonly pid: number;
  /** Asks politely, kills after the stop timeout, and resolves when the child is gone. Safe to call twice. */
  stop(): Promise<void>;
  /** Kills at once, as a crash would; resolves when the child is gone. */
  kill(): Promise<void>;
  readonly exited: Promise<LeashedExit>;
}

/** Both servers are ready within a second; a loaded two-core machine has shown ten. */
const READY_TIMEOUT_MS = 30_000;
/** PostgreSQL's fast shutdown writes one checkpoint; five seconds are enough for the embedded sizes. */
const STOP_TIMEOUT_MS = 5_000;
/** Enough of the last words to explain a failed start. */
const LAST_LINES_MAX = 20;

/** Starts a command under a leash and waits until it is ready; throws ServerFailure when it is not. */
export async function startLeashed(options: LeashOptions): Promise<Leashed> {
  const leash = spawnLeash(options);
  const lastLines: string[] = [];
  const ready = Promise.withResolvers<void>();
  const onLine = (line: string) => {
    lastLines.push(line);
    if (lastLines.length > LAST_LINES_MAX) lastLines.shift();
    options.onLine?.(line);
    if (options.readyWhen?.(line)) ready.resolve();
  };
  for (const stream of [leash.stdout, leash.stderr]) if (stream) createInterface({ input: stream }).on('line', onLine);
  const { pid, exited } = readReports(leash);
  // Both may be rejected while nobody waits for them; startUp() below is the one place that reports it.
  pid.catch(() => undefined);
  exited.catch(() => undefined);
  const child: Leashed = {
    pid: await pid,
    stop: async () => void (await tell(leash, 'stop', exited)),
    kill: async () => void (await tell(leash, 'kill', exited)),
    exited,
  };
  if (options.readyWhen === undefined) ready.resolve();
  await startUp(child, { options, ready: ready.promise, lastLines });
  return child;
}

function spawnLeash(options: LeashOptions): ChildProcess {
  const order: LeashOrder = {
    command: options.command,
    args: options.args,
    stopSignal: options.stopSignal ?? 'SIGTERM',
    stopTimeoutMs: options.stopTimeoutMs ?? STOP_TIMEOUT_MS,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.uid !== undefined && { uid: options.uid }),
    ...(options.gid !== undefined && { gid: options.gid }),
    ...(options.removeAfter !== undefined && { removeAfter: options.removeAfter }),
  };
  const program = fileURLToPath(new URL('./leash-process.ts', import.meta.url));
  const leash = spawn(process.execPath, ['--max-old-space-size=32', program, JSON.stringify(order)], {
    // Its own session: the terminal's Ctrl-C must not reach the servers before the orderly shutdown does.
    detached: true,
    cwd: '/',
    env: { ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  // A leash that ends while we write to it is reported by its exit; EPIPE would only say it a second time.
  leash.stdin?.on('error', () => undefined);
  return leash;
}

function readReports(leash: ChildProcess): { pid: Promise<number>; exited: Promise<LeashedExit> } {
  const pid = Promise.withResolvers<number>();
  const exited = Promise.withResolvers<LeashedExit>();
  createInterface({ input: leash.stdio[3] as Readable }).on('line', (line) => {
    const fact = JSON.parse(line) as { pid?: number; exit?: LeashedExit; error?: string };
    if (fact.pid !== undefined) pid.resolve(fact.pid);
    if (fact.exit) exited.resolve(fact.exit);
    if (fact.error !== undefined) pid.reject(new ServerFailure('binary_missing', fact.error));
  });
  leash.once('error', (cause) => pid.reject(new ServerFailure('exited', 'the leash could not start', { cause })));
  leash.once('close', () => {
    // Comes after the last report; whatever is still open then will never be told.
    pid.reject(new ServerFailure('exited', 'the leash ended before its child started'));
    exited.resolve({ code: null, signal: 'SIGKILL' });
  });
  return { pid: pid.promise, exited: exited.promise };
}

async function tell(leash: ChildProcess, word: 'stop' | 'kill', exited: Promise<LeashedExit>): Promise<LeashedExit> {
  leash.stdin?.write(`${word}\n`);
  return await exited;
}

async function startUp(
  child: Leashed,
  { options, ready, lastLines }: { options: LeashOptions; ready: Promise<void>; lastLines: readonly string[] },
): Promise<void> {
  const timeout = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => timeout.resolve('late'), options.readyTimeoutMs ?? READY_TIMEOUT_MS);
  const outcome = await Promise.race([ready.then(() => 'ready' as const), child.exited, timeout.promise]);
  clearTimeout(timer);
  if (outcome === 'ready') return;
  const said = lastLines.join('\n');
  if (outcome === 'late') {
    await child.kill();
    throw new ServerFailure('not_ready', `expected ${options.command} to become ready, got only: ${said}`);
  }
  throw new ServerFailure('exited', `expected ${options.command} to run, got exit ${JSON.stringify(outcome)}: ${said}`);
}
