import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval as ticks } from 'node:timers/promises';
import type { Isolation } from './isolation.ts';
import type { IsolationOrder } from './order.ts';
import { type Sandbox, startIn } from './sandbox.ts';

// For tests only: a prototype of a few files in a sandbox, and a bounded wait for what it does.

const WITHIN_MS = 20_000;

/** A started prototype with what it has written so far. */
export interface Trial {
  readonly sandbox: Sandbox;
  readonly runFolder: string;
  readonly output: () => string;
}

/** Starts prototypes and clears everything away after them. */
export interface SandboxBench {
  readonly start: (
    isolation: Isolation,
    files: Readonly<Record<string, string>>,
    order?: Partial<IsolationOrder>,
  ) => Promise<Trial>;
  readonly clear: () => Promise<void>;
}

/** A new bench in a folder of its own. */
export function newBench(): SandboxBench {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-isolation-'));
  const trials: Trial[] = [];
  return {
    start: async (isolation, files, order = {}) => {
      const number = trials.length + 1;
      const app = join(folder, `app${number}`);
      const runFolder = join(folder, `run${number}`);
      for (const path of [app, runFolder]) mkdirSync(path, { mode: 0o755 });
      // The attacks are there in every prototype; most use none.
      cpSync(new URL('./attacks', import.meta.url), join(app, 'attacks'), { recursive: true });
      for (const [name, text] of Object.entries(files)) writeFileSync(join(app, name), text);
      chmodSync(app, 0o755);
      const logPath = join(folder, `output${number}`);
      const log = openSync(logPath, 'a');
      const sandbox = await startIn(isolation, {
        argv: [isolation.toolchain?.node ?? 'node', 'main.mjs'],
        folder: '/app',
        mounts: [{ access: 'read', source: app, target: '/app' }],
        environment: { PATH: isolation.toolchain?.path ?? '', HOST: '127.0.0.1', PORT: '8080' },
        marker: `PROVISO_RUN=${randomUUID()}`,
        output: { out: log, err: log },
        scratchBytes: 16 * 1024 * 1024,
        limits: { memoryMb: 256, processes: 64, cpuShare: 50, fileBytes: 64 * 1024 * 1024 },
        port: null,
        egress: false,
        runFolder,
        ...order,
      });
      closeSync(log);
      const trial = { sandbox, runFolder, output: () => readFileSync(logPath, 'utf8') };
      trials.push(trial);
      return trial;
    },
    clear: async () => {
      await Promise.all(trials.map(({ sandbox }) => sandbox.end(0)));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Looks every few milliseconds until something holds, with a bound; gives what the look gave. */
export async function until<Found>(
  what: string,
  look: () => Found | null | false | Promise<Found | null | false>,
): Promise<Found> {
  const deadline = performance.now() + WITHIN_MS;
  for await (const _tick of ticks(20)) {
    const found = await look();
    if (found !== null && found !== false) return found;
    if (performance.now() > deadline) break;
  }
  throw new Error(`expected ${what} within ${WITHIN_MS} ms`);
}
