import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@proviso/servers';
import type { TestDatabase } from '@proviso/testkit';

/** A worker as its own process, with what it said. */
export interface RunningWorker {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  /** Resolves when it has logged this event. */
  readonly says: (event: string) => Promise<void>;
}

/** Starts the real `main.ts`. */
export function startWorker(environment: Readonly<Record<string, string>>): RunningWorker {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => lines.push(...text.split('\n').filter(Boolean)));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const says = async (event: string): Promise<void> =>
    await untilTrue(
      async () => lines.some((line) => line.includes(`"msg":"${event}"`)),
      () => lines,
    );
  return { child, lines, ended, says };
}

/** Polls for half a minute; beyond it something is wrong that waiting would hide. */
export async function untilTrue(holds: () => Promise<boolean>, lines: () => readonly string[]): Promise<void> {
  for (let polls = 0; polls < 1_200; polls += 1) {
    if (await holds()) return;
    await pause(50);
  }
  throw new Error(`expected it within a minute, the worker said:\n${lines().slice(-30).join('\n')}`);
}

const folders: string[] = [];
// A test file that imports this leaves nothing behind in the temporary folder.
afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A whole environment without servers: each test replaces what it has. */
export async function workerSettings(database?: TestDatabase): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'proviso-worker-test-'));
  folders.push(folder);
  return {
    PROVISO_EVIDENCE: join(folder, 'evidence'),
    PROVISO_WORK_FOLDER: join(folder, 'work'),
    PROVISO_EDGE_CONTROL_URL: 'http://127.0.0.1:1',
    PROVISO_EDGE_CONTROL_TOKEN: 'token',
    PROVISO_EDGE_URL: 'http://127.0.0.1:1',
    PROVISO_ORIGIN: 'test',
    PROVISO_WORKER_PORT: String(await freePort()),
    ...(database !== undefined && {
      PROVISO_DATABASE_URL: database.appUrl,
      PROVISO_PUMP_URL: database.pumpUrl,
      PROVISO_VAULT_KEY: database.vaultKeyHex,
    }),
  };
}
