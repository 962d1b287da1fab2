import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '@proviso/isolation';

/** Held by the one edge of a data folder; given back at a clean stop, and worthless once its process is dead. */
export interface FolderLock {
  readonly release: () => void;
}

/** Another living edge owns the folder. */
export class FolderTaken extends Error {
  override readonly name = 'FolderTaken';
}

// Two edges starting at once may both find a dead lock; after this many rounds one of them has won.
const ATTEMPTS_MAX = 5;

/** Takes the folder, or throws FolderTaken. A lock is its holder's pid and start time, so a reused pid holds nothing. */
export function lockFolder(folder: string, pid: number): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'edge.lock');
  const mine = `${path}.${pid}`;
  const text = JSON.stringify({ pid, identity: identityOf(pid) });
  writeFileSync(mine, text, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (links(mine, path)) return { release: () => releaseLock(path, text) };
      const holder = holderOf(path);
      if (holder !== null) throw new FolderTaken(`data folder: expected no other edge, got one with pid ${holder}`);
      // Renamed away rather than removed: of two who do this only one succeeds.
      moveAway(path, `${path}.stale`);
    }
    throw new FolderTaken('data folder: expected to win the lock, got beaten each time');
  } finally {
    rmSync(mine, { force: true });
  }
}

function links(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(path: string): number | null {
  try {
    const lock: { pid?: unknown; identity?: unknown } = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof lock.pid !== 'number' || typeof lock.identity !== 'string') return null;
    return identityOf(lock.pid) === lock.identity ? lock.pid : null;
  } catch {
    // Gone in between or torn by a power cut: nobody holds it.
    return null;
  }
}

function moveAway(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // Somebody else was faster; the next round shows who.
  }
}

function releaseLock(path: string, text: string): void {
  try {
    if (readFileSync(path, 'utf8') === text) rmSync(path, { force: true });
  } catch {
    // Already gone, together with its folder.
  }
}
