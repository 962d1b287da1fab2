import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@proviso/evidence';

/** An archive of installed packages as it lies in the cache. */
export interface CachedPackages {
  readonly path: string;
  readonly digest: Digest;
}

/** Installed packages by what they were installed from. Only ever read by sandboxes, and only after being hashed again. */
export interface PackageCache {
  /** The packages of these inputs, or nothing; bytes that are not those that were kept count as nothing. */
  readonly find: (key: string) => Promise<CachedPackages | null>;
  readonly keep: (key: string, archive: string) => Promise<CachedPackages>;
}

/** Left by a worker that died while it copied; a copy takes seconds. */
const halfMsMax = 3_600_000;

/**
 * A folder of ours, bounded: what was not used for the longest goes first. The name of a file says both what it was made
 * from and what it must hash to, so there is no second file that could tell otherwise; its time is when it was used last.
 */
export function openPackageCache(
  folder: string,
  { bytesMax, now }: { readonly bytesMax: number; readonly now: () => number },
): PackageCache {
  return {
    find: async (key) => {
      const kept = (await filesIn(folder)).find(({ name }) => name.startsWith(`${key}-`));
      if (kept === undefined) return null;
      const path = join(folder, kept.name);
      const digest = await digestOf(path).catch(() => null);
      if (digest === null || kept.name !== nameOf(key, digest)) {
        await rm(path, { force: true });
        return null;
      }
      await touch(path, now());
      return { path, digest };
    },
    keep: async (key, archive) => {
      await mkdir(folder, { recursive: true });
      const digest = await digestOf(archive);
      const path = join(folder, nameOf(key, digest));
      const half = `${path}.${randomUUID()}.half`;
      await copyFile(archive, half);
      await touch(half, now());
      // Complete under its name or not there at all, also when we die here.
      await rename(half, path);
      await makeRoom(folder, { bytesMax, spare: path, now: now() });
      return { path, digest };
    },
  };
}

/** What a build that runs right now has mounted stays readable for it, also when its name is taken away here. */
async function makeRoom(
  folder: string,
  { bytesMax, spare, now }: { readonly bytesMax: number; readonly spare: string; readonly now: number },
): Promise<void> {
  const files = await filesIn(folder);
  let sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  for (const file of files.toSorted((a, b) => a.usedAt - b.usedAt)) {
    const path = join(folder, file.name);
    const isLeft = file.name.endsWith('.half') && now - file.usedAt > halfMsMax;
    const isTooMuch = sizeBytes > bytesMax && file.name.endsWith('.tar') && path !== spare;
    if (!isLeft && !isTooMuch) continue;
    await rm(path, { force: true });
    sizeBytes -= file.sizeBytes;
  }
}

interface KeptFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly usedAt: number;
}

async function filesIn(folder: string): Promise<readonly KeptFile[]> {
  const names = await readdir(folder).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => null);
      return found?.isFile() ? [{ name, sizeBytes: found.size, usedAt: found.mtimeMs }] : [];
    }),
  );
  return files.flat();
}

function nameOf(key: string, digest: Digest): string {
  return `${key}-${digest.slice('sha256:'.length)}.tar`;
}

/** Another worker may have taken it away in between; then it is simply gone. */
async function touch(path: string, at: number): Promise<void> {
  await utimes(path, at / 1_000, at / 1_000).catch(() => undefined);
}

async function digestOf(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return `sha256:${hash.digest('hex')}`;
}
