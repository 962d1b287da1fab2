import { randomUUID } from 'node:crypto';
import { link, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from './digest.ts';
import { asEvidenceFailure, systemCode } from './evidence-failure.ts';
import type { EvidenceStore } from './evidence-store.ts';
import { documentPath, temporaryFolder } from './folder-layout.ts';

/**
 * What counts as an orphan. A document is put before the entry that names it commits, so anything younger than
 * `olderThanMs` is kept whether or not it is referenced; the grace must be longer than the slowest command.
 */
export type OrphanRule = {
  readonly referenced: ReadonlySet<string> | ((digest: Digest) => Promise<boolean>);
  readonly olderThanMs: number;
  readonly now: number;
};

/** What a collection removed, for the log of the leader that ran it. */
export type Collected = {
  readonly removed: readonly Digest[];
  readonly removedBytes: number;
  readonly temporariesRemoved: number;
};

/** Removes old unreferenced documents and the temporary files of crashed writers. Dying midway only leaves work over. */
export async function collectOrphans(request: {
  root: string;
  store: EvidenceStore;
  rule: OrphanRule;
}): Promise<Collected> {
  const { root, store, rule } = request;
  const storedBeforeMs = rule.now - rule.olderThanMs;
  const temporariesRemoved = await removeTemporaries(root, storedBeforeMs);
  const removed: Digest[] = [];
  let removedBytes = 0;
  for await (const listed of store.list()) {
    if (listed.storedAtMs >= storedBeforeMs || (await isReferenced(rule, listed.digest))) continue;
    if (!(await removeUnlessRenewed({ root, digest: listed.digest, storedBeforeMs }))) continue;
    removed.push(listed.digest);
    removedBytes += listed.sizeBytes;
  }
  return { removed, removedBytes, temporariesRemoved };
}

async function isReferenced(rule: OrphanRule, digest: Digest): Promise<boolean> {
  return typeof rule.referenced === 'function' ? rule.referenced(digest) : rule.referenced.has(digest);
}

/**
 * While `referenced` was being asked, somebody may have put the same content again and committed. The document is
 * therefore first moved aside, which is atomic, and moved back when the file that was caught turns out to be young.
 */
async function removeUnlessRenewed(request: {
  root: string;
  digest: Digest;
  storedBeforeMs: number;
}): Promise<boolean> {
  const path = documentPath(request.root, request.digest);
  // The name carries the digest, so that a collector that dies between here and the end is repaired by the next one.
  const aside = join(temporaryFolder(request.root), `aside-${randomUUID()}-${request.digest}`);
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw asEvidenceFailure(error, 'set a document aside');
  }
  const renewed = (await modifiedAtMs(aside)) >= request.storedBeforeMs;
  if (renewed) await restore(aside, path);
  await rm(aside, { force: true });
  return !renewed;
}

/** The name may be taken by a newer put of the same content, or the caught file already be put back: both are fine. */
async function restore(aside: string, path: string): Promise<void> {
  try {
    await link(aside, path);
  } catch (error) {
    if (!['EEXIST', 'ENOENT'].includes(systemCode(error))) throw asEvidenceFailure(error, 'restore a document');
  }
}

async function removeTemporaries(root: string, storedBeforeMs: number): Promise<number> {
  let removed = 0;
  for (const name of await readdir(temporaryFolder(root)).catch(() => [])) {
    const path = join(temporaryFolder(root), name);
    if (await restoredAside(root, name)) continue;
    // Infinity stands for a file that is already gone, because its writer has just finished.
    if ((await modifiedAtMs(path)) >= storedBeforeMs) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}

/** Puts back what a collector that died had set aside; it is then judged again like every other document. */
async function restoredAside(root: string, name: string): Promise<boolean> {
  const digest = /^aside-[0-9a-f-]{36}-(.*)$/.exec(name)?.[1];
  if (digest === undefined || !isDigest(digest)) return false;
  const path = join(temporaryFolder(root), name);
  await restore(path, documentPath(root, digest));
  await rm(path, { force: true });
  return true;
}

async function modifiedAtMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return Number.POSITIVE_INFINITY;
    throw asEvidenceFailure(error, 'read the age of a document');
  }
}
