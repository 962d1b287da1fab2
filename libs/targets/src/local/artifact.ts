import { createHash } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TargetFailure } from './failure.ts';
import type { ArtifactDigest } from './protocol.ts';

/** One file of an artifact. */
export interface ArtifactFile {
  readonly path: string;
  readonly mode: 'file' | 'executable';
  readonly sizeBytes: number;
  /** Hexadecimal, with or without `sha256:` before it. */
  readonly sha256: string;
}

/** What an artifact consists of; its digest is the sha256 of these bytes as they were stored. */
export interface ArtifactManifest {
  readonly v: 1;
  readonly files: readonly ArtifactFile[];
}

/** Gives the bytes behind a digest, or throws a retryable failure. */
export type BlobSource = (digest: ArtifactDigest) => Promise<AsyncIterable<Uint8Array>>;

// Beyond these an artifact is no prototype but an attack on the disk.
const MANIFEST_BYTES_MAX = 8 * 1024 * 1024;
const FILES_MAX = 20_000;
const TREE_BYTES_MAX = 1024 * 1024 * 1024;
// Enough to hide the latency of a store, few enough to leave the machine to the traffic.
const FETCHES_AT_ONCE_MAX = 8;

/** Makes the folder hold exactly the artifact, fetching what is missing, and returns the digest of what the disk holds. */
export async function unpackArtifact(options: {
  digest: ArtifactDigest;
  folder: string;
  blobs: BlobSource;
}): Promise<ArtifactDigest> {
  const manifestPath = `${options.folder}.manifest.json`;
  const known = await readFile(manifestPath, 'utf8').catch(() => null);
  if (known !== null) {
    const found = await hashTree(known, options.folder).catch(() => null);
    if (found === options.digest) return found;
  }
  await removeTree(options.folder);
  const text = await fetchManifest(options.digest, options.blobs);
  const manifest = parseManifest(text);
  const staging = `${options.folder}.unpacking`;
  await removeTree(staging);
  await fetchFiles(manifest, { folder: staging, blobs: options.blobs });
  await sealFolders(staging);
  const digest = await hashTree(text, staging);
  if (digest !== options.digest) throw mismatch(options.digest, digest);
  // Renamed last: a folder under its final name is complete even if we die here.
  await rename(staging, options.folder);
  await chmod(options.folder, 0o555);
  await writeFile(manifestPath, text, { mode: 0o600 });
  return digest;
}

/**
 * The digest of the files on the disk: the manifest is written anew, in its own order, from what is really there, so it
 * equals the artifact's digest exactly when nothing was changed, added or lost.
 */
export async function hashTree(manifestText: string, folder: string): Promise<ArtifactDigest> {
  const manifest = parseManifest(manifestText);
  const present = new Set(await listFiles(folder, ''));
  const files: ArtifactFile[] = [];
  for (const file of manifest.files) {
    if (!present.delete(file.path)) continue;
    const bytes = await readFile(join(folder, file.path));
    const { mode } = await stat(join(folder, file.path));
    const hex = createHash('sha256').update(bytes).digest('hex');
    files.push({
      ...file,
      mode: (mode & 0o100) === 0 ? 'file' : 'executable',
      sizeBytes: bytes.length,
      sha256: file.sha256.startsWith('sha256:') ? `sha256:${hex}` : hex,
    });
  }
  // Anything that no manifest names makes the digest differ, which is all that is needed.
  const strangers = [...present].sort().map((path) => ({ path }));
  return digestOf(JSON.stringify({ ...manifest, files: [...files, ...strangers] }));
}

/** Removes a tree whose folders are read-only; missing is fine. */
export async function removeTree(folder: string): Promise<void> {
  for (const path of await listFolders(folder)) await chmod(path, 0o700);
  await rm(folder, { recursive: true, force: true });
}

async function fetchManifest(digest: ArtifactDigest, blobs: BlobSource): Promise<string> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of await blobs(digest)) {
    sizeBytes += part.length;
    if (sizeBytes > MANIFEST_BYTES_MAX) throw badManifest(`at most ${MANIFEST_BYTES_MAX} bytes`, 'more');
    parts.push(part);
  }
  const bytes = Buffer.concat(parts);
  if (digestOf(bytes) !== digest) throw mismatch(digest, digestOf(bytes));
  return bytes.toString('utf8');
}

/** Reads a manifest strictly: every path lies inside the tree, each once, and nothing is without a bound. */
export function parseManifest(text: string): ArtifactManifest {
  let value: { v?: unknown; files?: unknown };
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TargetFailure('bad_manifest', 'manifest: expected JSON, got something else', { retryable: false, cause });
  }
  if (value?.v !== 1 || !Array.isArray(value.files)) throw badManifest('version 1 with files', String(value?.v));
  if (value.files.length > FILES_MAX) throw badManifest(`at most ${FILES_MAX} files`, String(value.files.length));
  const files: readonly ArtifactFile[] = value.files;
  const seen = new Set<string>();
  let sizeBytes = 0;
  for (const file of files) {
    assertFile(file);
    if (seen.has(file.path)) throw badManifest('each path once', file.path);
    seen.add(file.path);
    sizeBytes += file.sizeBytes;
  }
  if (sizeBytes > TREE_BYTES_MAX) throw badManifest(`at most ${TREE_BYTES_MAX} bytes`, String(sizeBytes));
  return value as ArtifactManifest;
}

function assertFile(file: ArtifactFile): void {
  const { path, mode, sizeBytes, sha256 } = file;
  if (typeof path !== 'string' || path.length > 1_024 || !isInside(path))
    throw badManifest('a path inside the tree', String(path));
  if (mode !== 'file' && mode !== 'executable') throw badManifest('file or executable', String(mode));
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw badManifest('a size', String(sizeBytes));
  if (typeof sha256 !== 'string' || !/^(sha256:)?[0-9a-f]{64}$/.test(sha256))
    throw badManifest('a sha256', String(sha256));
}

function isInside(path: string): boolean {
  const parts = path.split('/');
  return (
    !/[\0\\]/.test(path) &&
    !/^[A-Za-z]:/.test(path) &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

async function fetchFiles(manifest: ArtifactManifest, to: { folder: string; blobs: BlobSource }): Promise<void> {
  await mkdir(to.folder, { recursive: true, mode: 0o700 });
  const queue = [...manifest.files].reverse();
  const fetchNext = async (): Promise<void> => {
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) await fetchFile(file, to);
  };
  // All are awaited even when one fails: nobody may still be writing when the folder is tried again.
  const workers = Array.from({ length: FETCHES_AT_ONCE_MAX }, () =>
    fetchNext().catch((error: unknown) => {
      queue.length = 0;
      throw error;
    }),
  );
  for (const outcome of await Promise.allSettled(workers)) if (outcome.status === 'rejected') throw outcome.reason;
}

async function fetchFile(file: ArtifactFile, to: { folder: string; blobs: BlobSource }): Promise<void> {
  const digest: ArtifactDigest = `sha256:${file.sha256.replace('sha256:', '')}`;
  const path = join(to.folder, file.path);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const hash = createHash('sha256');
  let sizeBytes = 0;
  // `wx` refuses to follow or replace anything that is already there, a link above all.
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const part of await to.blobs(digest)) {
      sizeBytes += part.length;
      if (sizeBytes > file.sizeBytes) throw mismatch(`${file.sizeBytes} bytes of ${file.path}`, 'more');
      hash.update(part);
      await handle.writeFile(part);
    }
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== digest) throw mismatch(`${digest} for ${file.path}`, found);
    await handle.chmod(file.mode === 'executable' ? 0o555 : 0o444);
  } finally {
    await handle.close();
  }
}

async function sealFolders(folder: string): Promise<void> {
  for (const path of (await listFolders(folder)).toReversed()) if (path !== folder) await chmod(path, 0o555);
}

async function listFiles(folder: string, under: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(folder, under), { withFileTypes: true })) {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await listFiles(folder, path)));
    // A link is not the file it points to; the suffix makes it a stranger to every manifest.
    else found.push(entry.isFile() ? path : `${path}@`);
  }
  return found;
}

async function listFolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => null);
  if (entries === null) return [];
  const inner: string[] = [];
  for (const entry of entries) if (entry.isDirectory()) inner.push(...(await listFolders(join(folder, entry.name))));
  return [folder, ...inner];
}

/** `sha256:` and the digest of some bytes. */
export function digestOf(bytes: string | Uint8Array): ArtifactDigest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function mismatch(expected: string, got: string): TargetFailure {
  return new TargetFailure('digest_mismatch', `expected ${expected}, got ${got}`, { retryable: false });
}

function badManifest(expected: string, got: string): TargetFailure {
  return new TargetFailure('bad_manifest', `manifest: expected ${expected}, got ${got.slice(0, 200)}`, {
    retryable: false,
  });
}
