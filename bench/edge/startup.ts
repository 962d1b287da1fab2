import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findIsolation, inboundSocketOf, type Isolation, type IsolationWay, startIsolated } from '@proviso/isolation';
import { type BenchLine, median, rounded } from '../line.ts';

const RATIO_MAX = 1.5;
/** Starts in each round; one alone says little about some tens of milliseconds. */
const STARTS = 8;
const LOOK_MS = 2;
const WITHIN_MS = 20_000;
const WAYS = ['bubblewrap', 'namespace'] as const;

const release = `import { createServer } from 'node:http';
createServer((_, response) => response.end('well')).listen(Number(process.env.PORT), '127.0.0.1');`;

/**
 * From the start of a release to its first answer: the same script bare and in a sandbox of each way, in turn. A way that
 * this machine does not have is left out, and said so.
 */
export async function startupLines({ rounds }: { readonly rounds: number }): Promise<readonly BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-startup-'));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'main.mjs'), release, { mode: 0o644 });
  const found = await Promise.all(WAYS.map((way) => findIsolation({ way })));
  const ways = found.filter(({ way }) => way !== 'none');
  for (const { why } of found.filter(({ way }) => way === 'none')) process.stderr.write(`left out: ${why}\n`);
  const bareMs: number[] = [];
  const isolatedMs = new Map<IsolationWay, number[]>(ways.map(({ way }) => [way, []]));
  try {
    // The first of each is dropped: files are cold.
    for (let start = 0; start <= rounds * STARTS; start += 1) {
      const keep = (list: number[] | undefined, ms: number): void => void (start > 0 && list?.push(ms));
      keep(bareMs, await startBare(folder));
      for (const isolation of ways) keep(isolatedMs.get(isolation.way), await startInSandbox(isolation, folder));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return [...isolatedMs].map(([way, list]) => lineOf(way, median(list), median(bareMs)));
}

function lineOf(way: IsolationWay, ours: number, peer: number): BenchLine {
  const ratio = rounded(ours / peer);
  return {
    ...{ bench: 'edge', metric: `startup_ms_${way}`, ours: rounded(ours), peer: rounded(peer) },
    ...{ peerName: 'the bare process', ratio, goal: `ratio <= ${RATIO_MAX}`, met: ratio <= RATIO_MAX },
  };
}

async function startBare(folder: string): Promise<number> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, ['main.mjs'], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: String(port) },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await answered({ host: '127.0.0.1', port });
  const tookMs = performance.now() - began;
  child.kill('SIGKILL');
  await ended;
  return tookMs;
}

async function startInSandbox(isolation: Isolation, app: string): Promise<number> {
  const runFolder = join(app, `run-${randomUUID()}`);
  mkdirSync(runFolder, { mode: 0o755 });
  const began = performance.now();
  const sandbox = await startIsolated(isolation, {
    argv: [isolation.toolchain?.node ?? '', 'main.mjs'],
    folder: '/app',
    mounts: [{ access: 'read', source: join(app, 'main.mjs'), target: '/app/main.mjs' }],
    environment: { PATH: isolation.toolchain?.path ?? '', PORT: '8080' },
    marker: `PROVISO_RUN=${randomUUID()}`,
    output: null,
    scratchBytes: 16 * 1024 * 1024,
    limits: { memoryMb: 256, processes: 64, cpuShare: 100, fileBytes: 64 * 1024 * 1024 },
    port: 8_080,
    egress: false,
    runFolder,
  });
  await answered({ socketPath: inboundSocketOf(runFolder) });
  const tookMs = performance.now() - began;
  await sandbox.end(0);
  rmSync(runFolder, { recursive: true, force: true });
  return tookMs;
}

async function answered(target: RequestOptions): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!(await answersNow(target))) {
    if (performance.now() > deadline) throw new Error('expected the release to answer, got nothing');
    await pause(LOOK_MS);
  }
}

function answersNow(target: RequestOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ ...target, path: '/', agent: false, timeout: WITHIN_MS }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode === 200));
    });
    asked.on('error', () => resolve(false)).on('timeout', () => asked.destroy());
    asked.end();
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
