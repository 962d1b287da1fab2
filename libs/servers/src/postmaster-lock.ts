import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerFailure } from './server-failure.ts';

/** A server whose owner was just killed is still being ended by its leash: 5 s until the kill, and some air. */
const RELEASE_TIMEOUT_MS = 8_000;
const RELEASE_POLL_MS = 100;

/**
 * Makes sure that nobody runs on this data. PostgreSQL's own postmaster.pid is the lock. A file whose process is gone
 * is PostgreSQL's to clear; one whose number now belongs to a stranger is ours, because PostgreSQL would refuse.
 */
export async function expectUnused(dataFolder: string): Promise<void> {
  const lock = join(dataFolder, 'postmaster.pid');
  const giveUpAt = Date.now() + RELEASE_TIMEOUT_MS;
  for (;;) {
    const pid = readPid(lock);
    if (pid === undefined || !isAlive(pid)) return;
    if (!isPostgres(pid)) return rmSync(lock, { force: true });
    if (Date.now() > giveUpAt) {
      throw new ServerFailure(
        'already_running',
        `expected no other Proviso on ${dataFolder}, got PostgreSQL running there as process ${pid}; stop that one first`,
      );
    }
    await delay(RELEASE_POLL_MS);
  }
}

function readPid(lock: string): number | undefined {
  if (!existsSync(lock)) return undefined;
  const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
  return pid > 0 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isPostgres(pid: number): boolean {
  try {
    const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
    return command.includes('postgres');
  } catch {
    // It ended between the two looks, or there is no ps: then PostgreSQL's own refusal stands.
    return existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres') : false;
  }
}
