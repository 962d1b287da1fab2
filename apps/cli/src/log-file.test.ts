import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from './log-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a flood fills two files of five megabytes at most', () => {
  const log = openLog(join(folder, 'logs', 'part.log'));
  const line = 'x'.repeat(7_999);
  for (let count = 0; count < 2_000; count += 1) log.write(line);
  log.close();
  const bytesMax = 5 * 1024 * 1024;
  expect(statSync(log.path).size).toBeLessThanOrEqual(bytesMax);
  expect(statSync(`${log.path}.1`).size).toBeLessThanOrEqual(bytesMax);
});

test('a second start goes on at the end, and last words after the close are dropped', () => {
  const path = join(folder, 'part.log');
  for (const words of ['one', 'two']) {
    const log = openLog(path);
    log.write(words);
    log.close();
    log.write('too late');
  }
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
});
