import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Trouble } from './trouble.ts';

/** Only its owner may read such a file: it holds credentials. */
const OWNER_ONLY = 0o600;

/** Writes JSON beside its place and renames it, so that a crash leaves the old file or the new one, never half. */
export function writePrivateJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: OWNER_ONLY, flag: 'wx' });
  chmodSync(temporary, OWNER_ONLY);
  renameSync(temporary, path);
}

/** The value in the file, or undefined when there is no file. A damaged file is told, never guessed around. */
export function readPrivateJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Trouble(`expected to read ${path}, got ${(cause as Error).message}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Trouble(`expected JSON in ${path}, got something else`, {
      advice: 'Restore the file from a copy, or move the whole data folder away to start anew.',
      cause,
    });
  }
}
