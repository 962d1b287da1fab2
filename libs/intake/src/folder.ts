import { constants, type Stats } from 'node:fs';
import { lstat, open, opendir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEntryPath, skippedPart } from './entry-path.ts';
import { type FreezeContext, type FreezeResult, freezeEntries, limitsOf } from './freeze.ts';
import { IntakeFailure } from './intake-failure.ts';
import type { Limits } from './limits.ts';
import { answering, Refused } from './refusal.ts';
import { noContent, type SourceEntry } from './source-entry.ts';

/**
 * Freezes a folder of this machine. The folder itself may be reached by a link; in it no link is followed. A file that
 * changes while it is read is refused or frozen as read, never as a mixture under a wrong hash.
 */
export async function freezeFolder(path: string, context: FreezeContext): Promise<FreezeResult> {
  return answering(async () => {
    const root = await rootOf(path);
    const content = await freezeEntries({ entries: entriesOf(root, limitsOf(context)), context });
    return { ...content, provenance: { kind: 'folder' } };
  });
}

async function rootOf(path: string): Promise<string> {
  const root = await realpath(path).catch(() => undefined);
  if (root === undefined) throw new Refused('source_not_found', 'expected a folder, got nothing at that path');
  if (!(await lstat(root)).isDirectory()) throw new Refused('source_not_found', 'expected a folder, got a file');
  return root;
}

async function* entriesOf(root: string, limits: Limits): AsyncGenerator<SourceEntry> {
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const { name } of await openFolder(root, folder)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      // A name that is no UTF-8 reads as U+FFFD and would not be found again; it is refused for what it is.
      parseEntryPath(path);
      const found = await lstat(join(root, path)).catch(changed);
      if (found.isDirectory()) {
        yield { path, kind: 'folder', executable: false, content: noContent };
        // The consumer has refused a path that is too deep before we come here again.
        if (!skippedPart(path) && path.split('/').length <= limits.depthMax) folders.push(path);
      } else {
        yield entryOf({ root, path, found });
      }
    }
  }
}

async function openFolder(root: string, folder: string) {
  const absolute = join(root, folder);
  // Whoever swaps a folder for a link while we walk would otherwise lead us out of the root.
  if ((await realpath(absolute).catch(changed)) !== absolute) {
    throw new Refused('link_refused', 'expected a folder, got a link that took its place', folder);
  }
  return opendir(absolute).catch(changed);
}

function changed(error: unknown): never {
  throw new IntakeFailure('source_broke', 'expected a folder at rest, got one that changed or cannot be read', {
    cause: error,
  });
}

function entryOf(file: { root: string; path: string; found: Stats }): SourceEntry {
  const { path, found } = file;
  if (found.isSymbolicLink()) return { path, kind: 'symlink', executable: false, content: noContent };
  if (!found.isFile()) return { path, kind: 'special', executable: false, content: noContent };
  return {
    path,
    kind: 'file',
    executable: (found.mode & 0o100) !== 0,
    sizeClaimedBytes: found.size,
    content: () => contentOf(file),
  };
}

async function* contentOf(file: { root: string; path: string; found: Stats }): AsyncGenerator<Uint8Array> {
  const handle = await open(join(file.root, file.path), constants.O_RDONLY | constants.O_NOFOLLOW).catch(changed);
  try {
    const opened = await handle.stat();
    if (opened.ino !== file.found.ino || opened.dev !== file.found.dev) {
      throw new IntakeFailure('source_broke', 'expected the file that was listed, got one that took its place');
    }
    yield* handle.createReadStream({ autoClose: false });
  } finally {
    await handle.close();
  }
}
