import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPackageCache, type PackageCache } from './package-cache.ts';

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
  const path = join(folder, `${randomUUID()}.tar`);
  await writeFile(path, text);
  return path;
}

/** A folder of one build. */
async function scratch(): Promise<string> {
  return await mkdtemp(join(folder, 'build-'));
}

async function textOf(cache: PackageCache, digit: string): Promise<string | null> {
  const found = await cache.find(keyOf(digit), await scratch());
  return found === null ? null : await readFile(found.path, 'utf8');
}

async function sizeOfCache(): Promise<number> {
  const names = await readdir(join(folder, 'cache')).catch(() => []);
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(folder, 'cache', name)).catch(() => null))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

test('what was kept is found by its key and by no other', async () => {
  const cache = openCache(1_000);
  const kept = await cache.keep(keyOf('1'), await archive('one'));
  expect(await cache.find(keyOf('1'), await scratch())).toMatchObject({ digest: kept.digest });
  expect(await textOf(cache, '1')).toBe('one');
  expect(await textOf(cache, '2')).toBeNull();
});

test('what was not used for the longest goes first when there is no room', async () => {
  const cache = openCache(250);
  for (const digit of ['1', '2']) await cache.keep(keyOf(digit), await archive(digit.repeat(100)));
  await textOf(cache, '1');
  await cache.keep(keyOf('3'), await archive('3'.repeat(100)));
  const found = [];
  for (const digit of ['1', '2', '3']) found.push((await textOf(cache, digit)) !== null);
  expect(found).toEqual([true, false, true]);
});

test('what is larger than the whole cache is used and not kept, and pushes nothing out', async () => {
  const cache = openCache(250);
  await cache.keep(keyOf('1'), await archive('small'));
  const { path } = await cache.keep(keyOf('4'), await archive('4'.repeat(1_000)));
  expect(await readFile(path, 'utf8')).toBe('4'.repeat(1_000));
  expect([await textOf(cache, '4'), await textOf(cache, '1')]).toEqual([null, 'small']);
});

test('what a build has found stays its own, also when it is pushed out before the build begins', async () => {
  const cache = openCache(150);
  await cache.keep(keyOf('1'), await archive('1'.repeat(100)));
  const found = await cache.find(keyOf('1'), await scratch());
  await cache.keep(keyOf('2'), await archive('2'.repeat(100)));
  expect(await textOf(cache, '1')).toBeNull();
  expect(await readFile(found?.path ?? '', 'utf8')).toBe('1'.repeat(100));
});

test('bytes that are not those that were kept are nothing, and are gone', async () => {
  const cache = openCache(1_000);
  await cache.keep(keyOf('1'), await archive('one'));
  const [name = ''] = await readdir(join(folder, 'cache'));
  await writeFile(join(folder, 'cache', name), 'planted');
  expect(await textOf(cache, '1')).toBeNull();
  expect(await readdir(join(folder, 'cache'))).toEqual([]);
});

test('two workers that keep the same at once do not disturb each other', async () => {
  const [one, two] = [openCache(1_000), openCache(1_000)];
  const path = await archive('same');
  const kept = await Promise.all([one.keep(keyOf('1'), path), two.keep(keyOf('1'), path)]);
  expect(kept[0]).toEqual(kept[1]);
  expect(await readdir(join(folder, 'cache'))).toHaveLength(1);
});

test('half a copy that a dead worker has left counts, and goes within the hour', async () => {
  await mkdir(join(folder, 'cache'));
  await writeFile(join(folder, 'cache', `${keyOf('9')}-x.tar.${randomUUID()}.half`), 'h'.repeat(200));
  now = Date.now();
  const cache = openCache(250);
  await cache.keep(keyOf('1'), await archive('1'.repeat(40)));
  expect(await sizeOfCache()).toBe(240);
  now += 3_700_000;
  await cache.keep(keyOf('2'), await archive('2'.repeat(40)));
  expect(await sizeOfCache()).toBe(80);
});

// Archives of random sizes, many at once, beside builds that look for others: what is asked for is either whole or absent.
test.each([
  { workers: 1, over: 0 },
  // Each of two makes room for itself without knowing of the other, until it has copied.
  { workers: 2, over: 4_000 },
])(
  'never more than its bound lies in it, however many builds of $workers workers keep at once',
  async ({ workers, over }) => {
    const bytesMax = 20_000;
    const caches = Array.from({ length: workers }, () => openCache(bytesMax));
    const random = randomFrom(7);
    const sizes = Array.from({ length: 60 }, () => 100 + Math.floor(random() * 3_900));
    let most = 0;
    const building = { yes: true };
    const watching = (async () => {
      while (building.yes) most = Math.max(most, await sizeOfCache());
    })();
    const build = async (size: number, index: number): Promise<void> => {
      const cache = caches[index % workers];
      const key = createHash('sha256').update(String(index)).digest('hex');
      const text = 'x'.repeat(size);
      const kept = await cache?.keep(key, await archive(text));
      expect(await readFile(kept?.path ?? '', 'utf8')).toBe(text);
      const earlier = createHash('sha256')
        .update(String(Math.floor(random() * 60)))
        .digest('hex');
      const found = await cache?.find(earlier, await scratch());
      if (found == null) return;
      const digest = createHash('sha256')
        .update(await readFile(found.path))
        .digest('hex');
      expect(`sha256:${digest}`).toBe(found.digest);
    };
    await Promise.all(sizes.map(build));
    building.yes = false;
    await watching;
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(3 * bytesMax);
    expect(most).toBeGreaterThan(bytesMax / 2);
    expect(most).toBeLessThanOrEqual(bytesMax + over);
    expect(await sizeOfCache()).toBeLessThanOrEqual(bytesMax);
  },
);

/** The same numbers in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
