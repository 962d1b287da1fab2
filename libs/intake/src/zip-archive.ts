/// <reference path="./yauzl.d.ts" />
import { crc32 } from 'node:zlib';
import { type Entry, getFileNameLowLevel, openPromise, type ZipFile } from 'yauzl';
import type { Limits } from './limits.ts';
import { Refused } from './refusal.ts';
import { noContent, type SourceEntry } from './source-entry.ts';

/** Reads a zip by its central directory, which is the one truth; what local headers say differently is never used. */
export async function* zipEntries(path: string, limits: Limits): AsyncGenerator<SourceEntry> {
  const zip = await readingZip(() =>
    openPromise(path, { decodeStrings: false, validateEntrySizes: true, autoClose: false }),
  );
  try {
    if (zip.entryCount > limits.entriesMax) {
      throw new Refused('too_many_files', `expected at most ${limits.entriesMax} entries, got ${zip.entryCount}`);
    }
    const entries = zip.eachEntry()[Symbol.asyncIterator]();
    while (true) {
      const next = await readingZip(() => entries.next());
      if (next.done) return;
      yield entryOf(zip, next.value);
    }
  } finally {
    zip.close();
  }
}

function entryOf(zip: ZipFile, entry: Entry): SourceEntry {
  const path = nameOf(entry);
  const unixMode = entry.externalFileAttributes >>> 16;
  const kind = kindOf(unixMode, path);
  if (kind !== 'file') return { path, kind, executable: false, content: noContent };
  return {
    path,
    kind,
    executable: (unixMode & 0o100) !== 0,
    sizeClaimedBytes: entry.uncompressedSize,
    content: () => contentOf(zip, entry, path),
  };
}

/** The file types in the upper half of the attributes; writers without Unix modes leave them 0. */
function kindOf(unixMode: number, path: string): SourceEntry['kind'] {
  switch (unixMode & 0o170000) {
    case 0:
    case 0o100000:
      return path.endsWith('/') ? 'folder' : 'file';
    case 0o040000:
      return 'folder';
    case 0o120000:
      return 'symlink';
    default:
      return 'special';
  }
}

const utf8Flag = 0x800;
const unicodePathField = 0x7075;

/**
 * Finder and some others write UTF-8 without saying so, and then the standard reads it as code page 437. Bytes that are
 * right UTF-8 are taken as such: otherwise the same file would have another name than in a tar.
 */
function nameOf(entry: Entry): string {
  const told = (entry.generalPurposeBitFlag & utf8Flag) !== 0;
  if (!told && !entry.extraFields.some((field) => field.id === unicodePathField)) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(entry.fileNameRaw);
    } catch {
      // Not UTF-8: then it is code page 437, which every byte string is.
    }
  }
  return getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
}

async function* contentOf(zip: ZipFile, entry: Entry, path: string): AsyncGenerator<Uint8Array> {
  if (entry.isEncrypted())
    throw new Refused('encrypted', 'expected a zip without password, got an encrypted one', path);
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    throw corrupt(`files stored or deflated, got method ${entry.compressionMethod}`, path);
  }
  let checksum = 0;
  const stream = await readingZip(() => zip.openReadStreamPromise(entry), path);
  const chunks = stream[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await readingZip(() => chunks.next(), path);
      if (next.done) break;
      checksum = crc32(next.value, checksum);
      yield next.value;
    }
  } finally {
    // An open stream keeps the file open, also after the archive was closed.
    stream.destroy();
  }
  if (checksum !== entry.crc32) throw corrupt('the checksum of the file, got another', path);
}

/** The reader names every fault of the bytes in a sentence only; errors of the disk have a code and stay errors. */
async function readingZip<T>(action: () => Promise<T>, path?: string): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
    if (code !== undefined && !code.startsWith('Z_')) throw error;
    const told = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
    if (told.includes('encryption'))
      throw new Refused('encrypted', 'expected a zip without password, got another', path);
    throw corrupt('an intact zip, got a damaged or truncated one', path);
  }
}

function corrupt(expectedAndGot: string, path?: string): Refused {
  return new Refused('corrupt_archive', `expected ${expectedAndGot}`, path);
}
