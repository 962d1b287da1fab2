import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type LeashOptions, startLeashed } from './leash.ts';

const program = (script: string): Pick<LeashOptions, 'command' | 'args'> => ({
  command: process.execPath,
  args: ['-e', script],
});
const FOREVER = 'setInterval(() => {}, 1000); console.log("up")';
const STUBBORN = `process.on("SIGTERM", () => {}); ${FOREVER}`;

/** Node's own start and the kill after a stop timeout, on a busy machine. */
const GONE_TIMEOUT_MS = 15_000;

async function expectGone(pid: number): Promise<void> {
  const giveUpAt = Date.now() + GONE_TIMEOUT_MS;
  while (isAlive(pid)) {
    if (Date.now() > giveUpAt) throw new Error(`expected process ${pid} to be gone, got it alive`);
    await delay(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('starts a child, waits for its line and stops it politely', async () => {
  const child = await startLeashed({ ...program(FOREVER), readyWhen: (line) => line === 'up' });
  expect(isAlive(child.pid)).toBe(true);
  await child.stop();
  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
});

test('kills a child that ignores the polite signal', async () => {
  const child = await startLeashed({ ...program(STUBBORN), readyWhen: (line) => line === 'up', stopTimeoutMs: 100 });
  await child.stop();
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('gives the child no variable of ours', async () => {
  const lines: string[] = [];
  const child = await startLeashed({
    ...program('console.log(Object.keys(process.env).join()); setInterval(() => {}, 1000)'),
    env: { ONLY: 'this' },
    readyWhen: (line) => lines.push(line) > 0,
  });
  await child.stop();
  expect(lines).toEqual(['ONLY']);
});

test.each([
  ['a program that is missing', { command: '/nowhere/program', args: [] }, 'binary_missing'],
  ['a program that ends before it is ready', program('console.log("no"); process.exit(3)'), 'exited'],
  ['a program that never becomes ready', program(FOREVER), 'not_ready'],
])('refuses %s', async (_, what, code) => {
  const start = startLeashed({ ...what, readyWhen: () => false, readyTimeoutMs: 1_500 });
  await expect(start).rejects.toMatchObject({ code });
});

test('a second stop of a child that is gone is harmless', async () => {
  const child = await startLeashed(program(FOREVER));
  await child.kill();
  await child.stop();
  expect(isAlive(child.pid)).toBe(false);
});

test('a killed parent leaves no PostgreSQL, no Temporal and no folder behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-leash-'));
  const script = `
    const { startPostgres, startTemporal, temporalBinary } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
    const binary = temporalBinary(${JSON.stringify(fileURLToPath(new URL('../../..', import.meta.url)))});
    const postgres = await startPostgres({ dataDir: ${JSON.stringify(folder)}, durable: false, removeAfter: ${JSON.stringify(folder)} });
    const temporal = await startTemporal({ binary });
    console.log(JSON.stringify([postgres.pid, temporal.pid]));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pids = await new Promise<number[]>((resolve) => {
    createInterface({ input: parent.stdout }).once('line', (line) => resolve(JSON.parse(line) as number[]));
  });
  expect(pids.map(isAlive)).toEqual([true, true]);
  parent.kill('SIGKILL');
  await Promise.all(pids.map(expectGone));
  while (existsSync(folder)) await delay(20);
}, 60_000);
