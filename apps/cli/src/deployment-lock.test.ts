import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
