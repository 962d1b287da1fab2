import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeLock } from './deployment-lock.ts';
import { Trouble } from './trouble.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a lock is taken once and can be taken again when it was let go', () => {
  const first = takeLock(folder);
  expect(() => takeLock(folder)).toThrow(Trouble);
  first.release();
  const second = takeLock(folder);
  expect(second.recovered).toBe(false);
  second.release();
  expect(existsSync(join(folder, 'lock'))).toBe(false);
});

test('a live lock is told with its process and what to do', () => {
  const held = takeLock(folder);
  try {
    expect(() => takeLock(folder)).toThrow(`running as process ${process.pid}`);
  } finally {
    held.release();
  }
});

test('the lock of a process that is gone is taken over', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  const { pid } = child;
  await once(child, 'exit');
  writeFileSync(join(folder, 'lock'), JSON.stringify({ pid, startTime: '1' }));
  const lock = takeLock(folder);
  expect(lock.recovered).toBe(true);
  lock.release();
});

test('a process number that now belongs to somebody else holds nothing', () => {
  writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: process.pid, startTime: 'another start' }));
  // Only where start times can be read can the two be told apart.
  if (existsSync('/proc/self/stat')) expect(takeLock(folder).recovered).toBe(true);
  else expect(() => takeLock(folder)).toThrow(Trouble);
});

test('a torn lock file holds nothing', () => {
  writeFileSync(join(folder, 'lock'), '{"pid":');
  expect(takeLock(folder).recovered).toBe(true);
});

/** Takes the lock in a process of its own under a shell's limits, so that a start that never ends ends the test. */
function takenElsewhere(dataFolder: string, limit = 'true') {
  const source = `
    import { takeLock } from ${JSON.stringify(new URL('./deployment-lock.ts', import.meta.url).href)};
    import { explain } from ${JSON.stringify(new URL('./trouble.ts', import.meta.url).href)};
    try {
      takeLock(process.argv[1]).release();
    } catch (error) {
      console.log(explain(error).lines.join(' '));
      process.exitCode = explain(error).exitCode;
    }`;
  const words = ['--input-type=module', '--eval', source, dataFolder];
  const run = spawnSync('sh', ['-c', `${limit}; exec "$0" "$@"`, process.execPath, ...words], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status: run.status, told: run.stdout, broke: run.stderr };
}

const inLinux = existsSync('/proc/self/stat');

test('a folder in which no folder can be made ends the start at once, with words', () => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('loop', join(folder, 'loop'));
  const places: readonly (readonly [string, string])[] = [
    [join(folder, 'file'), 'a file in its place'],
    [join(folder, 'file', 'below'), 'a file in its place'],
    [join(folder, 'loop'), 'a '],
    [join(folder, 'x'.repeat(300)), 'one with too long a name'],
    ...(inLinux ? ([['/proc/proviso', 'one that takes no files (ENOENT)']] as const) : []),
    ...(inLinux ? ([['/proc/proviso/deep/below', 'one that takes no files (ENOENT)']] as const) : []),
  ];
  for (const [place, obstacle] of places) {
    const { status, told, broke } = takenElsewhere(place);
    expect([place, status, broke]).toEqual([place, 1, '']);
    expect(told).toContain(`expected a data folder that can be written to, got ${place}, ${obstacle}`);
  }
}, 60_000);

test('a folder in place of the lock file is told, and left alone', () => {
  mkdirSync(join(folder, 'lock', 'kept'), { recursive: true });
  expect(() => takeLock(folder)).toThrow('a folder in place of its lock file');
  expect(existsSync(join(folder, 'lock', 'kept'))).toBe(true);
});

test('a disk without room for the lock is told, and no lock is left behind', () => {
  const { status, told } = takenElsewhere(folder, 'ulimit -f 0');
  expect([status, readdirSync(folder)]).toEqual([1, []]);
  expect(told).toContain('one that takes no more bytes');
});

test('a data folder is made with the folders above it', () => {
  const deep = join(folder, 'a', 'b', 'c');
  takeLock(deep).release();
  expect(existsSync(deep)).toBe(true);
});
