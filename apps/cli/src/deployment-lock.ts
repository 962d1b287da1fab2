import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Trouble } from './trouble.ts';

/** Held while one process runs a deployment on a data folder. */
export interface DeploymentLock {
  /** True when the process that held it before had died without letting go. */
  readonly recovered: boolean;
  release(): void;
}

/** Two starters may meet over a stale lock; the loser then finds a live one, so three tries always settle it. */
const TRIES_MAX = 3;

/** Takes the lock of a data folder; a lock whose process is gone is taken over, a live one is told. */
export function takeLock(dataFolder: string): DeploymentLock {
  try {
    return take(dataFolder);
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw unusable(dataFolder, error);
  }
}

function take(dataFolder: string): DeploymentLock {
  makeFolder(resolve(dataFolder));
  const path = join(dataFolder, 'lock');
  let recovered = false;
  for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
    if (create(path)) return { recovered, release: () => rmSync(path, { force: true }) };
    const holder = holderOf(path);
    if (holder !== null && isAlive(holder)) throw heldBy(holder.pid, dataFolder);
    // Its process died without cleaning up. If we die here the next start removes it in the same way.
    rmSync(path, { force: true });
    recovered = true;
  }
  throw new Trouble(`expected to take the lock ${path}, got beaten to it ${TRIES_MAX} times`, {
    advice: 'Several starts run at once: let one of them win, then try again.',
  });
}

/**
 * Makes a folder with those above it. Not by `recursive`: where a folder is there but takes no other, as in /proc, Node
 * goes up and down between the two for ever.
 */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another starter was faster; a file in its place is told like any other obstacle.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

interface Holder {
  readonly pid: number;
  readonly startTime: string | null;
}

/** `wx` makes creating the file the one atomic step that decides between two starters. */
function create(path: string): boolean {
  const file = openNew(path);
  if (file === null) return false;
  const holder: Holder = { pid: process.pid, startTime: startTimeOf(process.pid) };
  try {
    writeSync(file, JSON.stringify(holder));
  } catch (error) {
    // No room for it: nothing is held, and nothing is left behind that looks as if.
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  return true;
}

function openNew(path: string): number | null {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  }
}

function holderOf(path: string): Holder | null {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' && pid > 0 ? { pid, startTime: startTime ?? null } : null;
  } catch {
    // Gone meanwhile, or torn by a crash while it was written: nobody holds it.
    return null;
  }
}

/** Process numbers are reused: the same number with another start time is somebody else. */
function isAlive({ pid, startTime }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = startTimeOf(pid);
  return now === null || startTime === null || now === startTime;
}

/** Field 22 of /proc/<pid>/stat; null where there is no /proc, and then the number alone decides. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in brackets that may hold spaces; counting starts behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function heldBy(pid: number, dataFolder: string): Trouble {
  return new Trouble(`expected no deployment on ${dataFolder}, got one running as process ${pid}`, {
    advice: 'Use that one (`proviso status`), stop it first, or give another folder with --data.',
  });
}

/** What the system's codes mean to whoever chose the folder; any other code is told as it is. */
const obstacles: Readonly<Record<string, string>> = {
  EACCES: 'one that this user may not write to',
  EPERM: 'one that takes no files',
  EROFS: 'one on a read-only disk',
  ENOSPC: 'one on a full disk',
  EDQUOT: 'one whose quota is used up',
  EFBIG: 'one that takes no more bytes',
  ENOTDIR: 'a file in its place',
  EEXIST: 'a file in its place',
  EISDIR: 'a folder in place of its lock file',
  ERR_FS_EISDIR: 'a folder in place of its lock file',
  ENAMETOOLONG: 'one with too long a name',
  ELOOP: 'a link that leads to itself',
};

function unusable(dataFolder: string, cause: unknown): Trouble {
  const code = String((cause as NodeJS.ErrnoException | null)?.code ?? 'a refusal');
  const got = obstacles[code] ?? `one that takes no files (${code})`;
  return new Trouble(`expected a data folder that can be written to, got ${dataFolder}, ${got}`, {
    advice: 'Give another folder with --data, or make room or rights for this one.',
    cause,
  });
}
