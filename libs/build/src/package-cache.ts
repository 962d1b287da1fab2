import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@proviso/evidence';

/** An archive of installed packages, in a folder of the build that uses it. */
export interface CachedPackages {
  readonly path: string;
  readonly digest: Digest;
}

/** Installed packages by what they were installed from. Only ever read by sandboxes, and only after being hashed again. */
export interface PackageCache {
  /**
   * The packages of these inputs, in a folder of the caller's own so that nobody takes them away while they are used; or
   * nothing. Bytes that are not those that were kept count as nothing.
   */
  readonly find: (key: string, folder: string) => Promise<CachedPackages | null>;
  /** Keeps a copy; the archive itself stays where it is, and is what its owner goes on with. */
  readonly keep: (key: string, archive: string) => Promise<CachedPackages>;
}

/** Left by a worker that died while it copied; a copy takes seconds. */
const halfMsMax = 3_600_000;

/**
 * A folder of ours, bounded: what was not used for the longest goes first, and room is made before it is taken. Builds of
 * one worker take turns at that, so together they never hold more than the bound; of several workers on one folder each
 * brings it back under the bound. The name of a file says both what it was made from and what it must hash to, so there
 * is no second file that could tell otherwise; its time is when it was used last.
 */
export function openPackageCache(
  folder: string,
  { bytesMax, now }: { readonly bytesMax: number; readonly now: () => number },
): PackageCache {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async (work: () => Promise<void>): Promise<void> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    await mine;
  };
  return {
    find: async (key, target) => {
      const kept = (await filesIn(folder)).find(({ name }) => name.startsWith(`${key}-`) && name.endsWith('.tar'));
      if (kept === undefined) return null;
      const [path, own] = [join(folder, kept.name), join(target, `${key}.tar`)];
      if (!(await linked(path, own))) return null;
      const digest = await digestOf(own);
      if (kept.name !== nameOf(key, digest)) {
        await Promise.all([path, own].map(async (each) => await rm(each, { force: true })));
        return null;
      }
      await touch(path, now());
      return { path: own, digest };
    },
    keep: async (key, archive) => {
      const [digest, { size: sizeBytes }] = await Promise.all([digestOf(archive), stat(archive)]);
      // What is larger than the whole cache would only push out all others.
      if (sizeBytes <= bytesMax) {
        await inTurn(async () => await take(folder, { name: nameOf(key, digest), archive, sizeBytes, bytesMax, now }));
      }
      return { path: archive, digest };
    },
  };
}

async function take(
  folder: string,
  {
    name,
    archive,
    sizeBytes,
    bytesMax,
    now,
  }: {
    readonly name: string;
    readonly archive: string;
    readonly sizeBytes: number;
    readonly bytesMax: number;
    readonly now: () => number;
  },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  const half = `${path}.${randomUUID()}.half`;
  await makeRoom(folder, { bytesMax: bytesMax - sizeBytes, now: now() });
  await copyFile(archive, half);
  await touch(half, now());
  // Complete under its name or not there at all, also when we die here.
  await rename(half, path);
  // Another worker may have taken the same room.
  await makeRoom(folder, { bytesMax, now: now() });
}

/** A second name for the same bytes, so that they outlive the first; a copy where folders lie on different disks. */
async function linked(path: string, own: string): Promise<boolean> {
  try {
    await link(path, own).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw error;
      await copyFile(path, own);
    });
    return true;
  } catch (error) {
    // Taken away since we looked: then it is simply not there.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function makeRoom(
  folder: string,
  { bytesMax, now }: { readonly bytesMax: number; readonly now: number },
): Promise<void> {
  const files = await filesIn(folder);
  let sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  for (const file of files.toSorted((a, b) => a.usedAt - b.usedAt)) {
    const isLeft = file.name.endsWith('.half') && now - file.usedAt > halfMsMax;
    const isTooMuch = sizeBytes > bytesMax && file.name.endsWith('.tar');
    if (!isLeft && !isTooMuch) continue;
    await rm(join(folder, file.name), { force: true });
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
