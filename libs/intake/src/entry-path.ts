import { type Limits, SEGMENT_BYTES_MAX } from './limits.ts';
import { Refused } from './refusal.ts';

/**
 * Characters that no path may have. Controls end lines in reports; the bidirectional ones make `exe.js` read as another
 * name; U+FFFD means that the bytes were no UTF-8, so that two different files could get one name.
 */
const forbidden = /[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069\uFFFD]/u;

/**
 * Turns a path of an archive, a folder or a tree into its one spelling: segments joined by single slashes, relative, no
 * dots. Nothing for the root itself. Every path of a manifest has passed here, also when the manifest is read again.
 */
export function parseEntryPath(path: string): string | undefined {
  if (forbidden.test(path)) throw escapes('a path in UTF-8 without control characters', 'one with them', path);
  if (path.includes('\\')) throw escapes('slashes between folders', 'a backslash', path);
  if (path.startsWith('/')) throw escapes('a relative path', 'an absolute one', path);
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  // Anywhere, because a segment comes first when the folders around it are stripped.
  if (segments.some((segment) => /^[A-Za-z]:/.test(segment))) {
    throw escapes('a relative path', 'one with a drive letter', path);
  }
  if (segments.includes('..')) throw escapes('a path inside the folder', 'one with ..', path);
  return segments.length === 0 ? undefined : segments.join('/');
}

/** Refuses paths that are too long to be written out again everywhere we write them. */
export function checkPathBounds(path: string, limits: Limits): void {
  const segments = path.split('/');
  if (Buffer.byteLength(path) > limits.pathBytesMax) {
    throw new Refused('too_large', `expected a path of at most ${limits.pathBytesMax} bytes, got a longer one`, path);
  }
  if (segments.length > limits.depthMax) {
    throw new Refused('too_large', `expected at most ${limits.depthMax} nested folders, got more`, path);
  }
  if (segments.some((segment) => Buffer.byteLength(segment) > SEGMENT_BYTES_MAX)) {
    throw new Refused('too_large', `expected names of at most ${SEGMENT_BYTES_MAX} bytes, got a longer one`, path);
  }
}

/** Names that are left out wherever they occur, with everything below them. */
export type SkipRule = '.git' | 'node_modules' | '.ds_store' | '__macosx';

/**
 * `.git` is history and hooks, `node_modules` is installed again from the lock file, the other two are litter of macOS.
 * Compared without case, so that no file system can turn one name into the other.
 */
const skipRules: ReadonlySet<string> = new Set<SkipRule>(['.git', 'node_modules', '.ds_store', '__macosx']);

/** The part of a path that a rule leaves out, and the rule; nothing when the path is taken in. */
export function skippedPart(path: string): { path: string; rule: SkipRule } | undefined {
  const segments = path.split('/');
  const at = segments.findIndex((segment) => skipRules.has(segment.toLowerCase()));
  const rule = segments[at]?.toLowerCase();
  return isSkipRule(rule) ? { path: segments.slice(0, at + 1).join('/'), rule } : undefined;
}

/**
 * The form under which two names are one name on some file system: without case (full folding, so that ß is ss) and
 * without the difference between composed and decomposed characters.
 */
export function foldedPath(path: string): string {
  return path.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
}

function isSkipRule(name: string | undefined): name is SkipRule {
  return name !== undefined && skipRules.has(name);
}

function escapes(expected: string, got: string, path: string): Refused {
  return new Refused('path_escapes', `expected ${expected}, got ${got}`, path);
}
