import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { SecretReference } from '@proviso/domain';
import { TargetFailure } from './failure.ts';

/** Where an edge finds the values of secrets: its operator decides which variables and which folder are for lanes. */
export interface SecretPlaces {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Only variables that begin with it can be referred to, so that nobody binds the edge's own. */
  readonly prefix: string;
  /** Files can be referred to only below it; null: none can. */
  readonly folder: string | null;
}

/** An edge without places: every secret is missing. */
export const noSecretPlaces: SecretPlaces = { environment: {}, prefix: 'SECRET_', folder: null };

/** Shorter ones could not be told from ordinary words in what a release says, and so could not be withheld. */
const LENGTH_MIN = 8;
/** A certificate with its chain is far smaller. */
const BYTES_MAX = 64 * 1024;

/** The value behind a reference, read now. What is thrown names the place and never a value. */
export async function readSecret(reference: SecretReference, places: SecretPlaces): Promise<string> {
  switch (reference.from) {
    case 'environment':
      return checked(variableIn(reference.name, places), `variable ${reference.name}`);
    case 'file':
      return checked(await textBelow(reference.path, places.folder), `file ${reference.path}`);
    case 'vault':
      throw unreadable('a reference to the environment or to a file, as no vault is configured', 'a vault');
  }
}

function variableIn(name: string, { environment, prefix }: SecretPlaces): string {
  if (!name.startsWith(prefix) || name.startsWith('PROVISO_'))
    throw unreadable(`a variable that begins with ${prefix}`, name);
  const value = environment[name];
  if (value === undefined || value === '') throw missing(`variable ${name}`);
  return value;
}

async function textBelow(path: string, folder: string | null): Promise<string> {
  if (folder === null) throw unreadable('a folder for secrets that the operator has configured', 'none');
  const top = await realpath(folder).catch(() => null);
  const file = top === null ? null : await realpath(join(top, path)).catch(() => null);
  if (top === null || file === null) throw missing(`file ${path}`);
  // Also a link that stays inside is refused: what a name stands for must not change under it.
  if (file !== join(top, path) || !file.startsWith(`${top}${sep}`))
    throw unreadable(`a plain file at ${path}`, 'a link or a way out');
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) throw unreadable(`a file at ${path} that this edge may read`, 'another');
  try {
    const stat = await handle.stat();
    const { uid, mode, size } = stat;
    if (!stat.isFile()) throw unreadable(`a plain file at ${path}`, 'something else');
    if (uid !== 0 && uid !== process.getuid?.()) throw unreadable(`the edge or root as owner of ${path}`, 'another');
    if ((mode & 0o077) !== 0)
      throw unreadable(`nobody but its owner to read or write ${path}`, `mode ${(mode & 0o777).toString(8)}`);
    if (size > BYTES_MAX) throw unreadable(`at most ${BYTES_MAX} bytes in ${path}`, `${size}`);
    return textOf(await handle.readFile(), path);
  } finally {
    await handle.close();
  }
}

/** Editors end a file with a line break, which is no part of a key: one is taken off, and nothing else. */
function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    // Its cause would carry bytes of the file.
    throw unreadable(`text in ${path}`, 'other bytes');
  }
}

function checked(value: string, place: string): string {
  if (value.includes('\0')) throw unreadable(`text in ${place}`, 'a NUL');
  if (value.length < LENGTH_MIN) throw unreadable(`at least ${LENGTH_MIN} letters in ${place}`, 'fewer');
  return value;
}

function missing(place: string): TargetFailure {
  return new TargetFailure('secret_missing', `expected a value in ${place}, got none`, { retryable: true });
}

function unreadable(expected: string, got: string): TargetFailure {
  return new TargetFailure('secret_unreadable', `expected ${expected}, got ${got}`, { retryable: true });
}
