import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expectFreePort, freePort, LOOPBACK } from './free-port.ts';
import { type Leashed, type LeashedExit, startLeashed } from './leash.ts';
import { ServerFailure } from './server-failure.ts';
import { temporalAnswers } from './temporal-probe.ts';

/** Which dev server to start, and where it keeps its state. */
export interface TemporalOptions {
  /** The `temporal` program; see temporalBinary(). */
  readonly binary: string;
  /** Where workflows survive a restart; without it they live in memory. */
  readonly databaseFile?: string;
  readonly port?: number;
  /** Without it the server runs without its web pages. */
  readonly uiPort?: number;
  /** A folder deleted once the server has ended, however this process ends: for tests only. */
  readonly removeAfter?: string;
  readonly log?: (line: string) => void;
}

/** A running Temporal dev server that ends with this process. */
export interface RunningTemporal {
  /** host:port of its gRPC front end. */
  readonly address: string;
  readonly uiPort?: number;
  readonly pid: number;
  stop(): Promise<void>;
  /** SIGKILL, as the kill tests want it. */
  kill(): Promise<void>;
  readonly exited: Promise<LeashedExit>;
}

/** It answers after 0.2 s as a rule; a machine with both cores busy has needed some seconds. */
const READY_TIMEOUT_MS = 30_000;
const READY_POLL_MS = 50;
const PROBE_TIMEOUT_MS = 1_000;
/** Its own shutdown waits for pollers to leave; it writes through to its file, so a kill loses nothing. */
const STOP_TIMEOUT_MS = 3_000;
/** As for PostgreSQL: a free port lost three times is no accident. */
const PORT_TRIES_MAX = 3;
/** Enough of its last words to explain a failed start. */
const LAST_LINES_MAX = 10;

/** Starts the dev server and waits until it answers a real call. */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  if (options.port !== undefined) await expectFreePort(options.port, 'Temporal');
  if (options.uiPort !== undefined) await expectFreePort(options.uiPort, "Temporal's web pages");
  if (options.databaseFile !== undefined) mkdirSync(dirname(options.databaseFile), { recursive: true });
  for (let tries = 1; ; tries += 1) {
    const port = options.port ?? (await freePort());
    try {
      return await startOnPort(options, port);
    } catch (error) {
      const mayBeTaken = error instanceof ServerFailure && error.message.includes('already in use');
      if (!mayBeTaken || options.port !== undefined || tries === PORT_TRIES_MAX) throw error;
    }
  }
}

/**
 * The program that set-up obtained, from the note it left; `override` comes from the caller's configuration and wins.
 * Throws `binary_missing` with what to do when there is none.
 */
export function temporalBinary(projectRoot: string, override?: string): string {
  const found = override ?? notedBinary(projectRoot);
  if (found !== undefined && existsSync(found)) return found;
  throw new ServerFailure(
    'binary_missing',
    `expected the Temporal program, got ${found ?? 'no note of it in .cache/tools.json'}; run npm run setup`,
  );
}

function notedBinary(projectRoot: string): string | undefined {
  const note = join(projectRoot, '.cache', 'tools.json');
  if (!existsSync(note)) return undefined;
  const tools = JSON.parse(readFileSync(note, 'utf8')) as { temporal?: { path?: string } };
  return tools.temporal?.path;
}

async function startOnPort(options: TemporalOptions, port: number): Promise<RunningTemporal> {
  const address = `${LOOPBACK}:${port}`;
  const lastLines: string[] = [];
  const child = await startLeashed({
    command: options.binary,
    args: [
      ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port), '--log-level', 'error'],
      ...(options.uiPort === undefined ? ['--headless'] : ['--ui-ip', LOOPBACK, '--ui-port', String(options.uiPort)]),
      ...(options.databaseFile === undefined ? [] : ['--db-filename', options.databaseFile]),
    ],
    // Without a home of its own the CLI would read the person's Temporal profiles.
    env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', TZ: 'UTC' },
    stopTimeoutMs: STOP_TIMEOUT_MS,
    onLine: (line) => {
      lastLines.push(line);
      if (lastLines.length > LAST_LINES_MAX) lastLines.shift();
      options.log?.(line);
    },
    ...(options.removeAfter !== undefined && { removeAfter: options.removeAfter }),
  });
  await waitUntilItAnswers({ child, address, lastLines });
  return { address, ...(options.uiPort !== undefined && { uiPort: options.uiPort }), ...child };
}

async function waitUntilItAnswers({
  child,
  address,
  lastLines,
}: {
  child: Leashed;
  address: string;
  lastLines: readonly string[];
}): Promise<void> {
  const giveUpAt = Date.now() + READY_TIMEOUT_MS;
  let ended: LeashedExit | undefined;
  void child.exited.then((exit) => {
    ended = exit;
  });
  while (!(await temporalAnswers({ address, timeoutMs: PROBE_TIMEOUT_MS }))) {
    const said = lastLines.join('\n');
    if (ended)
      throw new ServerFailure('exited', `expected Temporal to run, got exit ${JSON.stringify(ended)}: ${said}`);
    if (Date.now() > giveUpAt) {
      await child.kill();
      throw new ServerFailure('not_ready', `expected Temporal to answer at ${address}, got nothing: ${said}`);
    }
    await delay(READY_POLL_MS);
  }
}
