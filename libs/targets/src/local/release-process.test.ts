import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adoptProcess, endProcess, identityOf, listProcesses, type MarkedProcess } from '@proviso/isolation';
import { FILE_BLOCKS_MAX } from './output-log.ts';
import type { RunContract } from './protocol.ts';
import { newFolder, until } from './release-fixture.ts';
import { findFreePort, startProcess } from './release-process.ts';

// Real processes on a busy machine; every wait inside has its own, shorter bound.

const folder = newFolder();
afterAll(() => folder.remove());

let count = 0;
async function run(
  source: string,
  environment: Record<string, string> = {},
): Promise<{ process: MarkedProcess; output: () => string }> {
  count += 1;
  const name = `main${count}.mjs`;
  writeFileSync(join(folder.path, name), source);
  const contract: RunContract = {
    start: ['node', name, '$PORT'],
    portEnvironment: 'PORT',
    environment,
    health: { path: '/' },
  };
  const logPath = join(folder.path, `${name}.log`);
  const process = await startProcess({
    contract,
    folder: folder.path,
    temporaryFolder: join(folder.path, `tmp${count}`),
    logPath,
    marker: `PROVISO_RUN=test-${count}`,
    port: await findFreePort(),
  });
  return { process, output: () => readFileSync(logPath, 'utf8') };
}

test('the port stands in its variable and in the item of the start that names it', async () => {
  const { process, output } = await run('console.log(process.argv[2], process.env.PORT);');
  await process.exited;
  expect(output()).toMatch(/^(\d+) \1\n$/);
});

test('ends children, children of children, and those that left the group, even when they ignore SIGTERM', async () => {
  const { process, output } = await run(`import { spawn } from 'node:child_process';
    process.on('SIGTERM', () => {});
    const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";
    const middle = 'const { spawn } = require("node:child_process"); console.log(spawn(process.execPath, ["-e", ' + JSON.stringify(stubborn) + '], { stdio: "ignore" }).pid); setInterval(() => {}, 1000)';
    const child = spawn(process.execPath, ['-e', middle], { stdio: 'inherit' });
    const escaped = spawn(process.execPath, ['-e', stubborn], { stdio: 'ignore', detached: true });
    console.log(process.pid, child.pid, escaped.pid);
    setInterval(() => {}, 1000);`);
  const pids = await until('four processes', () => {
    const found = output().trim().split(/\s+/).filter(Boolean).map(Number);
    return found.length === 4 && found;
  });
  expect(pids).toContain(process.pid);
  expect(pids.filter((pid) => identityOf(pid) === null)).toEqual([]);
  await endProcess(process, 200);
  expect(pids.filter((pid) => identityOf(pid) !== null)).toEqual([]);
});

test('children that outlive their parent are ended as well', async () => {
  const { process, output } = await run(`import { spawn } from 'node:child_process';
    console.log(spawn('sleep', ['1000'], { stdio: 'ignore' }).pid); process.exit(3);`);
  expect(await process.exited).toEqual({ code: 3, signal: null });
  const child = Number(output());
  expect(identityOf(child)).not.toBeNull();
  await endProcess(process, 1_000);
  expect(identityOf(child)).toBeNull();
});

test('nothing of our environment reaches a release, and it cannot redirect its own port or home', async () => {
  const { process, output } = await run('console.log(JSON.stringify(process.env))', {
    GREETING: 'hello',
    HOME: '/root',
    HOST: '0.0.0.0',
    PORT: '1',
  });
  await process.exited;
  const seen = JSON.parse(output());
  expect(Object.keys(seen).sort()).toEqual([
    'GREETING',
    'HOME',
    'HOST',
    'PATH',
    'PORT',
    'PROVISO_RUN',
    'PWD',
    'TMPDIR',
  ]);
  expect(seen).toMatchObject({ GREETING: 'hello', HOST: '127.0.0.1' });
  expect([seen.HOME === '/root', seen.PORT === '1']).toEqual([false, false]);
});

test('a reused pid is neither adopted nor ended', async () => {
  const bystander = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true });
  const pid = bystander.pid ?? 0;
  const mark = { pid, identity: 'another-boot/1', marker: 'PROVISO_RUN=nobody', isolated: false };
  expect(adoptProcess(mark)).toBeNull();
  await endProcess(mark, 100);
  expect(identityOf(pid)).not.toBeNull();
  const own = { ...mark, identity: identityOf(pid) };
  const adopted = adoptProcess(own);
  await endProcess(own, 1_000);
  expect(await adopted?.exited).toEqual({ code: null, signal: null });
});

test('both sources of the process table agree about a process', async () => {
  const { process } = await run('setInterval(() => {}, 1000)');
  for (const source of ['proc', 'ps'] as const) {
    // Between fork and exec a process has no memory of its own yet.
    const find = () => listProcesses(source).find((row) => row.pid === process.pid && row.residentKb > 10_000) ?? null;
    expect((await until('a grown process', find)).group).toBe(process.pid);
    expect(identityOf(process.pid, source)).not.toBeNull();
  }
  await endProcess(process, 1_000);
  expect([identityOf(process.pid, 'proc'), identityOf(process.pid, 'ps')]).toEqual([null, null]);
});

test('no file of a release grows beyond its limit, even when nobody trims it', async () => {
  const { process, output } = await run(`import { writeSync } from 'node:fs';
    const part = Buffer.alloc(1 << 20, 'x'); for (let i = 0; i < 80; i += 1) writeSync(1, part);`);
  const { code } = await process.exited;
  expect(code).not.toBe(0);
  expect(output()).toHaveLength(FILE_BLOCKS_MAX * 512);
});
