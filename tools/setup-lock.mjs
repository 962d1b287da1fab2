// One set-up at a time for a folder: two at once would delete each other's node_modules.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A cold set-up takes at most some five minutes; after three times that the other one is taken for stuck. */
const LOCK_WAIT_MS_MAX = 15 * 60_000;
const LOCK_POLL_MS = 200;

/** Something a person must put right; its message says what, and no stack is shown. */
export class SetupProblem extends Error {}

/** Tells the person at the terminal, on stderr only. */
export function say(message) {
  process.stderr.write(`setup: ${message}\n`);
}

/** Runs `work` while this process holds the folder's lock. A lock whose process died is taken over. */
export async function withSetupLock(root, work) {
  const lock = join(root, '.cache', 'setup.lock');
  mkdirSync(join(root, '.cache'), { recursive: true });
  await takeLock(lock);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

async function takeLock(lock) {
  const giveUpAt = Date.now() + LOCK_WAIT_MS_MAX;
  for (let waited = 0; !tryLock(lock); waited += 1) {
    if (waited === 0) say('waiting for another set-up of this folder');
    if (Date.now() > giveUpAt)
      throw new SetupProblem(`another set-up holds ${lock}; remove the file if none is running`);
    await delay(LOCK_POLL_MS);
  }
}

function tryLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isHeld(lock)) return false;
    // Its owner died. Two waiters that find this in the same instant could both go on; npm ci then fails loudly.
    rmSync(lock, { force: true });
    return false;
  }
}

function isHeld(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // An empty file is a lock being written this instant.
    if (pid === 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
