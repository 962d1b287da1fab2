import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** What was seen and not looked into, so that a clean result never hides what it did not cover. */
export interface SkippedFile {
  readonly path: string;
  readonly why: 'link' | 'special' | 'too_large' | 'binary' | 'history';
}

/** A candidate's files in a stable order; `complete` is false when a bound ended the walk. */
export interface CandidateFiles {
  readonly paths: readonly string[];
  readonly skipped: readonly SkippedFile[];
  readonly complete: boolean;
}

/** More files than this are not a prototype, and a scan of them would not end in time. */
export const filesMax = 5_000;
/** Deeper folders are built to break walkers. */
const depthMax = 40;

/** Lists the regular files of a folder. Links are never followed: they may lead out of the candidate. */
export async function listFiles(folder: string): Promise<CandidateFiles> {
  const paths: string[] = [];
  const skipped: SkippedFile[] = [];
  const pending: { readonly path: string; readonly depth: number }[] = [{ path: '', depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const entries = await readdir(join(folder, next.path), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? 1 : -1))) {
      const path = next.path === '' ? entry.name : `${next.path}/${entry.name}`;
      if (paths.length + skipped.length + pending.length >= filesMax || next.depth >= depthMax) {
        return { paths, skipped, complete: false };
      }
      // The repository's own database is no part of what runs; the commit is pinned by the manifest.
      if (entry.isDirectory() && entry.name === '.git') skipped.push({ path, why: 'history' });
      else if (entry.isDirectory()) pending.push({ path, depth: next.depth + 1 });
      else if (entry.isFile()) paths.push(path);
      else skipped.push({ path, why: entry.isSymbolicLink() ? 'link' : 'special' });
    }
  }
  return { paths: paths.sort(), skipped, complete: true };
}

/** The bytes of one file of a candidate, or why there are none. A link at any step of the path counts as missing. */
export async function readCandidateFile(
  folder: string,
  file: { readonly path: string; readonly sizeBytesMax: number },
): Promise<{ readonly bytes: Uint8Array } | { readonly problem: 'missing' | 'too_large' }> {
  const root = await realpath(folder);
  const wanted = join(root, file.path);
  const actual = await realpath(wanted).catch(() => null);
  if (actual !== wanted || !actual.startsWith(root + sep)) return { problem: 'missing' };
  const handle = await open(actual, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) return { problem: 'missing' };
  try {
    const status = await handle.stat();
    if (!status.isFile()) return { problem: 'missing' };
    return status.size > file.sizeBytesMax ? { problem: 'too_large' } : { bytes: await handle.readFile() };
  } finally {
    await handle.close();
  }
}

/** The text of a file, or null when it is binary. UTF-16 with its mark is text, or a secret in it would go unseen. */
export function textOf(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return bytes.subarray(0, binarySampleBytes).includes(0) ? null : new TextDecoder().decode(bytes);
}

/** Git looks at as many bytes when it decides whether a file is binary. */
const binarySampleBytes = 8_000;
