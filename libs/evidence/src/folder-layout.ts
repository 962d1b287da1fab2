import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, isDigest } from './digest.ts';
import { systemCode } from './evidence-failure.ts';

/** Finished documents live here; a name in this tree is only ever made by an atomic rename of a synced file. */
export function documentsFolder(root: string): string {
  return join(root, 'sha256');
}

/** Half-written documents and documents on their way out live here; after a crash it holds rubbish and nothing else. */
export function temporaryFolder(root: string): string {
  return join(root, 'temporary');
}

/** Two levels of 256 folders keep any folder small up to some hundred million documents. */
export function documentPath(root: string, digest: Digest): string {
  const hex = digest.slice('sha256:'.length);
  return join(documentsFolder(root), hex.slice(0, 2), hex.slice(2, 4), hex);
}

/** The digest a file of this name stands for, or nothing when some other program put it there. */
export function digestOfName(folders: { readonly first: string; readonly second: string }, name: string) {
  const digest = `sha256:${name}`;
  return isDigest(digest) && name.startsWith(folders.first + folders.second) ? digest : undefined;
}

/**
 * Gives a function that makes a folder below the root durable: a power loss must not drop the folder together with the
 * document in it after `put` has answered. Another process may have made a folder and not synced it yet, so each
 * process syncs the chain once by itself; what it remembers is bounded by the 65,536 folders of the layout.
 */
export function durableFolders(root: string): (folder: string) => Promise<void> {
  const durable = new Set<string>();
  return async (folder) => {
    if (durable.has(folder)) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    let parent = dirname(folder);
    while (parent.length > root.length && !durable.has(parent)) {
      await syncFolder(parent);
      parent = dirname(parent);
    }
    await syncFolder(parent);
    durable.add(folder);
  };
}

/** Makes the names in a folder durable. Windows cannot open a folder for this and orders the rename by itself. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EACCES', 'EINVAL'].includes(systemCode(error)) || process.platform !== 'win32')
      throw error;
  }
}
