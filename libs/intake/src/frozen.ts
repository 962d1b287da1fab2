import { chmod, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EvidenceStore } from '@proviso/evidence';
import { IntakeFailure } from './intake-failure.ts';
import { fileDigest, type Manifest, type ManifestFile, parseManifest } from './manifest.ts';

/** 20,000 files with the longest paths make 14 MB of manifest; a larger document is none. */
const MANIFEST_BYTES_MAX = 32 * 1024 * 1024;

/** Reads the manifest of an artifact; `manifest_invalid` when the digest is that of some other document. */
export async function readFrozen(store: EvidenceStore, artifactDigest: string): Promise<Manifest> {
  return parseManifest(await store.get(artifactDigest, { sizeMaxBytes: MANIFEST_BYTES_MAX }));
}

/** One file of an artifact, checked against its hash; nothing when the manifest has no such path. */
export async function readFrozenFile(
  store: EvidenceStore,
  manifest: Manifest,
  path: string,
): Promise<Uint8Array | undefined> {
  const file = manifest.files.find((candidate) => candidate.path === path);
  if (!file) return undefined;
  const bytes = await store.get(fileDigest(file));
  if (bytes.byteLength !== file.sizeBytes) throw wrongSize(file, bytes.byteLength);
  return bytes;
}

/**
 * Writes an artifact into a folder that does not exist or is empty, checking each file's hash on the way. Every folder
 * and file is made new by us, so there is no link to follow. On failure the folder is emptied again; if we die midway
 * the half-written folder is not empty, and the next try refuses it until it is removed. `keeps` leaves files out.
 */
export async function materialise(
  store: EvidenceStore,
  artifactDigest: string,
  folder: string,
  keeps: (file: ManifestFile) => boolean = () => true,
): Promise<Manifest> {
  const manifest = await readFrozen(store, artifactDigest);
  await claimFolder(folder);
  try {
    const made = new Set<string>(['.']);
    for (const file of manifest.files.filter(keeps)) {
      await makeFolders(folder, dirname(file.path), made);
      await writeFile(store, file, join(folder, file.path));
    }
    return manifest;
  } catch (error) {
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
    throw error;
  }
}

async function claimFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (!(await lstat(folder)).isDirectory() || (await readdir(folder)).length > 0) {
    throw new IntakeFailure('target_not_empty', 'expected an empty folder that is no link, got another');
  }
}

/** `mkdir` without `recursive` fails on anything that exists, so a name that somebody slips in stops us. */
async function makeFolders(root: string, path: string, made: Set<string>): Promise<void> {
  if (made.has(path)) return;
  await makeFolders(root, dirname(path), made);
  await mkdir(join(root, path));
  made.add(path);
}

async function writeFile(store: EvidenceStore, file: ManifestFile, path: string): Promise<void> {
  const handle = await open(path, 'wx', 0o644);
  try {
    let sizeBytes = 0;
    for await (const chunk of await store.open(fileDigest(file))) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > file.sizeBytes) break;
      await handle.appendFile(chunk);
    }
    if (sizeBytes !== file.sizeBytes) throw wrongSize(file, sizeBytes);
  } finally {
    await handle.close();
  }
  if (file.mode === 'executable') await chmod(path, 0o755);
}

function wrongSize(file: ManifestFile, sizeBytes: number): IntakeFailure {
  return new IntakeFailure('manifest_invalid', `expected a file of ${file.sizeBytes} bytes, got ${sizeBytes}`);
}
