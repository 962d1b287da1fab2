import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { leftOut } from '../archive.ts';

/** A folder as `init` looks at it: names and texts, nothing is run and no link is followed. */
export interface FolderView {
  readonly folder: string;
  /** Files in a stable order, without packages and results of builds. */
  readonly paths: readonly string[];
  readonly has: (path: string) => boolean;
  /** The text of a file; null when there is none, or one too large to be written by hand. */
  readonly text: (path: string) => string | null;
}

/** What builds leave; the sources say the same and more. */
const results = new Set([...leftOut, '.next', '.venv', 'venv', '__pycache__', '.svelte-kit', '.turbo']);
/** A prototype has far fewer; more would keep a person waiting. */
const filesMax = 5_000;
const depthMax = 12;
const textBytesMax = 256 * 1024;

/** Looks at a folder once. */
export function viewFolder(folder: string): FolderView {
  const paths: string[] = [];
  const pending = [{ path: '', depth: 0 }];
  for (let next = pending.shift(); next !== undefined && paths.length < filesMax; next = pending.shift()) {
    for (const entry of readdirSync(join(folder, next.path), { withFileTypes: true })) {
      const path = next.path === '' ? entry.name : `${next.path}/${entry.name}`;
      if (entry.isFile()) paths.push(path);
      if (entry.isDirectory() && !results.has(entry.name) && next.depth < depthMax) {
        pending.push({ path, depth: next.depth + 1 });
      }
    }
  }
  const known = new Set(paths);
  return {
    folder,
    paths: paths.sort(),
    has: (path) => known.has(path),
    text: (path) => (known.has(path) ? textOf(join(folder, path)) : null),
  };
}

function textOf(path: string): string | null {
  if (statSync(path).size > textBytesMax) return null;
  const text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  return text.includes('\0') ? null : text;
}
