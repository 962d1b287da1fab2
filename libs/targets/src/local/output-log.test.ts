import { appendFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openOutputLog } from './output-log.ts';
import { newFolder } from './release-fixture.ts';

const folder = newFolder();
afterAll(() => folder.remove());

const MIB = 1024 * 1024;

test('keeps the last lines when the file is cut back', () => {
  const path = join(folder.path, 'tail.log');
  const output = openOutputLog(path);
  expect([output.trim(0), output.tail(10)]).toEqual([false, '']);
  appendFileSync(path, `${'x'.repeat(MIB)}\nbefore`);
  expect(output.trim(0)).toBe(false);
  expect(statSync(path).size).toBe(0);
  appendFileSync(path, ' after');
  expect(output.tail(12)).toBe('before after');
});

test.each([
  ['at once', 40, 0, 1],
  ['a little all the time', 1, 100, 40],
])('a flood that comes %s is a flood', (_how, mebibytes, everyMs, looksMax) => {
  const path = join(folder.path, 'flood.log');
  const output = openOutputLog(path);
  const looks: boolean[] = [];
  for (let look = 0; look < looksMax; look += 1) {
    appendFileSync(path, Buffer.alloc(mebibytes * MIB));
    looks.push(output.trim(look * everyMs));
  }
  expect(looks.includes(true)).toBe(true);
  rmSync(path);
});

test('a busy release is no flood, however long it runs', () => {
  const path = join(folder.path, 'busy.log');
  const output = openOutputLog(path);
  for (let look = 0; look < 100; look += 1) {
    appendFileSync(path, Buffer.alloc(MIB));
    expect(output.trim(look * 600)).toBe(false);
  }
});
