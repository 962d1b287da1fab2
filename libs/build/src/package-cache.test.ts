import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPackageCache } from './package-cache.ts';

let folder = '';
let now = 0;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proviso-package-cache-'));
  now = 1_000_000;
});
afterEach(() => rm(folder, { recursive: true }));

const keyOf = (digit: string) => digit.repeat(64);
const openCache = (bytesMax: number) =>
  openPackageCache(join(folder, 'cache'), { bytesMax, now: () => (now += 1_000) });

async function archive(text: string): Promise<string> {
  const path = join(folder, 'archive.tar');
  await writeFile(path, text);
  return path;
}

test('what was kept is found by its key and by no other', async () => {
  const cache = openCache(1_000);
  const kept = await cache.keep(keyOf('1'), await archive('one'));
  expect(await cache.find(keyOf('1'))).toEqual(kept);
  expect(await cache.find(keyOf('2'))).toBeNull();
});

test('what was not used for the longest goes first when there is no room, and never what was just kept', async () => {
  const cache = openCache(250);
  for (const digit of ['1', '2']) await cache.keep(keyOf(digit), await archive(digit.repeat(100)));
  await cache.find(keyOf('1'));
  await cache.keep(keyOf('3'), await archive('3'.repeat(100)));
  const found = await Promise.all(['1', '2', '3'].map(async (digit) => (await cache.find(keyOf(digit))) !== null));
  expect(found).toEqual([true, false, true]);
  await cache.keep(keyOf('4'), await archive('4'.repeat(1_000)));
  expect(await cache.find(keyOf('4'))).not.toBeNull();
});

test('bytes that are not those that were kept are nothing, and are gone', async () => {
  const cache = openCache(1_000);
  const { path } = await cache.keep(keyOf('1'), await archive('one'));
  await writeFile(path, 'planted');
  expect(await cache.find(keyOf('1'))).toBeNull();
  expect(await readdir(join(folder, 'cache'))).toEqual([]);
});

test('two workers that keep the same at once do not disturb each other', async () => {
  const [one, two] = [openCache(1_000), openCache(1_000)];
  const path = await archive('same');
  const kept = await Promise.all([one.keep(keyOf('1'), path), two.keep(keyOf('1'), path)]);
  expect(kept[0]).toEqual(kept[1]);
  expect(await readdir(join(folder, 'cache'))).toHaveLength(1);
});
