import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, type FileHandle, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type Digest, digestOf, finishDigest, parseDigest } from './digest.ts';
import { asEvidenceFailure, EvidenceFailure, systemCode } from './evidence-failure.ts';
import {
  EVIDENCE_BYTES_MAX,
  type EvidenceContent,
  type EvidenceStore,
  type ListedEvidence,
  type PutOptions,
  type StoredEvidence,
} from './evidence-store.ts';
import {
  digestOfName,
  documentPath,
  documentsFolder,
  durableFolders,
  syncFolder,
  temporaryFolder,
} from './folder-layout.ts';
import { type Collected, collectOrphans, type OrphanRule } from './orphan-collection.ts';

/** The folder adapter: a store, and the collection of what nobody references. */
export type FolderStore = EvidenceStore & { collectOrphans(rule: OrphanRule): Promise<Collected> };

/**
 * A store in a folder of this machine, shared by any number of processes. A document is written to a temporary file,
 * synced, renamed to its name and the folder is synced: whoever dies at any moment leaves the whole document or none.
 */
export function folderStore(root: string): FolderStore {
  const makeFolder = durableFolders(root);
  const store: EvidenceStore = {
    put: (content, options = {}) => put({ root, makeFolder, content, options }),
    get: async (digest, options = {}) => get({ root, digest: parseDigest(digest), sizeMaxBytes: options.sizeMaxBytes }),
    open: async (digest) => openVerified(root, parseDigest(digest)),
    has: async (digest) => has(root, parseDigest(digest)),
    list: () => list(root),
    remove: async (digest) => remove(root, parseDigest(digest)),
  };
  return { ...store, collectOrphans: (rule) => collectOrphans({ root, store, rule }) };
}

async function put(request: {
  root: string;
  makeFolder: (folder: string) => Promise<void>;
  content: EvidenceContent;
  options: PutOptions;
}): Promise<StoredEvidence> {
  const { root, makeFolder, content, options } = request;
  const temporary = join(temporaryFolder(root), randomUUID());
  try {
    await makeFolder(temporaryFolder(root));
    const stored = await writeTemporary(temporary, content, options.sizeMaxBytes ?? EVIDENCE_BYTES_MAX);
    const path = documentPath(root, stored.digest);
    await makeFolder(dirname(path));
    // The rename also replaces what is there: a document that was tampered with heals, and its age starts anew.
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return stored;
  } catch (error) {
    // What cannot be removed now is rubbish that collection removes later; the first error is the one to tell.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error instanceof SourceBroke ? error.cause : asEvidenceFailure(error, 'store a document');
  }
}

/** Marks an error of the caller's own stream, which is handed back untouched and never blamed on the store. */
class SourceBroke extends Error {}

async function writeTemporary(path: string, content: EvidenceContent, sizeMaxBytes: number): Promise<StoredEvidence> {
  const handle = await open(path, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of chunksOf(content)) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > sizeMaxBytes) throw tooLarge(sizeMaxBytes);
      hash.update(chunk);
      await writeAll(handle, chunk);
    }
    await handle.sync();
    return { digest: finishDigest(hash), sizeBytes };
  } finally {
    await handle.close();
  }
}

async function* chunksOf(content: EvidenceContent): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) {
    yield content;
    return;
  }
  const source = content[Symbol.asyncIterator]();
  try {
    while (true) {
      const next = await source.next().catch((error: unknown) => {
        throw new SourceBroke('the source broke', { cause: error });
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Ends the caller's stream when we stop early, as a plain loop over it would.
    await source.return?.();
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let written = 0;
  while (written < chunk.byteLength) {
    written += (await handle.write(chunk, written, chunk.byteLength - written)).bytesWritten;
  }
}

async function get(request: { root: string; digest: Digest; sizeMaxBytes: number | undefined }): Promise<Uint8Array> {
  const sizeMaxBytes = request.sizeMaxBytes ?? EVIDENCE_BYTES_MAX;
  const path = documentPath(request.root, request.digest);
  const bytes = await reading(async () => {
    // Whoever tampered may have left a file that does not fit into memory, so its size is asked first.
    if ((await stat(path)).size > sizeMaxBytes) throw tooLarge(sizeMaxBytes);
    return readFile(path);
  });
  if (digestOf(bytes) !== request.digest) throw corrupt(request.digest);
  return bytes;
}

async function openVerified(root: string, digest: Digest): Promise<Readable> {
  const handle = await reading(() => open(documentPath(root, digest), 'r'));
  return Readable.from(verifiedChunks(createReadStream('', { fd: handle }), digest), { objectMode: false });
}

/** Withholds the last chunk until the whole hash is right, so that a reader of a corrupt document never sees its end. */
async function* verifiedChunks(source: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let withheld: Uint8Array | undefined;
  for await (const chunk of source) {
    if (withheld) yield withheld;
    hash.update(chunk);
    withheld = chunk;
  }
  if (finishDigest(hash) !== digest) throw corrupt(digest);
  if (withheld) yield withheld;
}

async function has(root: string, digest: Digest): Promise<boolean> {
  return answersPresent(() => access(documentPath(root, digest)));
}

async function remove(root: string, digest: Digest): Promise<boolean> {
  return answersPresent(() => rm(documentPath(root, digest)));
}

async function* list(root: string): AsyncGenerator<ListedEvidence> {
  for (const first of await namesIn(documentsFolder(root))) {
    for (const second of await namesIn(join(documentsFolder(root), first))) {
      for (const name of await namesIn(join(documentsFolder(root), first, second))) {
        const digest = digestOfName({ first, second }, name);
        // A document may be removed while we walk; it is then simply no longer listed.
        const found = digest && (await stat(documentPath(root, digest)).catch(() => undefined));
        if (digest && found) yield { digest, sizeBytes: found.size, storedAtMs: found.mtimeMs };
      }
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return [];
    throw asEvidenceFailure(error, 'list documents');
  }
}

async function answersPresent(action: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw asEvidenceFailure(error, 'find a document');
  }
}

async function reading<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new EvidenceFailure('evidence_missing', 'expected a stored document, got none', error);
    }
    throw asEvidenceFailure(error, 'read a document');
  }
}

function tooLarge(sizeMaxBytes: number): EvidenceFailure {
  return new EvidenceFailure('evidence_too_large', `expected at most ${sizeMaxBytes} bytes, got more`);
}

function corrupt(digest: Digest): EvidenceFailure {
  return new EvidenceFailure('evidence_corrupt', `expected the bytes of ${digest}, got others`);
}
