import { createHash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest, EvidenceContent } from '@proviso/evidence';
import { type FreezeContext, type FreezeResult, type FrozenContent, freezeEntries, limitsOf } from './freeze.ts';
import { IntakeFailure } from './intake-failure.ts';
import type { Limits } from './limits.ts';
import type { Provenance } from './provenance.ts';
import { answering, Refused } from './refusal.ts';
import { isTarHeader, TAR_BLOCK_BYTES, tarEntries } from './tar-archive.ts';
import { gunzipped, storedChunks } from './stored-archive.ts';
import { zipEntries } from './zip-archive.ts';

/** What the sender says the archive is: recorded and shown, never believed. The bytes decide. */
export type ArchiveHints = { readonly filename?: string; readonly mediaType?: string };

/** An archive on our disk, for as long as it is being read. */
export type SpooledArchive = { readonly path: string; readonly sizeBytes: number; readonly digest: Digest };

type ArchiveFormat = Extract<Provenance, { kind: 'archive' }>['format'];

/** Freezes a zip, a tar or a gzipped tar, recognised by its bytes. */
export async function freezeArchive(
  content: EvidenceContent,
  context: FreezeContext,
  hints: ArchiveHints = {},
): Promise<FreezeResult> {
  return answering(() =>
    withSpooled(content, context, async (archive) => {
      const { format, frozen } = await freezeSpooled(archive, context);
      const filename = hints.filename === undefined ? {} : { filename: hints.filename };
      return { ...frozen, provenance: { kind: 'archive', format, archiveDigest: archive.digest, ...filename } };
    }),
  );
}

/** Freezes an archive that is on disk already; a tarball of GitHub comes in here as well. */
export async function freezeSpooled(
  archive: SpooledArchive,
  context: FreezeContext,
): Promise<{ format: ArchiveFormat; frozen: FrozenContent }> {
  const limits = limitsOf(context);
  const format = await formatOf(archive);
  const entries = entriesOf(archive, format, limits);
  // A gzipped tar has its guard in the stream already, and a plain one cannot unpack to more than it is.
  const packed = format === 'zip' ? { packedBytes: archive.sizeBytes } : {};
  return { format, frozen: await freezeEntries({ entries, context, ...packed }) };
}

/**
 * Writes a stream to a folder of its own below the temporary folder, because a zip is read from its end, and removes the
 * folder on every path. If we die here the folder stays and is whoever's cleans the temporary folder at start.
 */
export async function withSpooled<T>(
  content: EvidenceContent,
  context: FreezeContext,
  use: (archive: SpooledArchive) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(context.tempFolder, 'intake-')).catch((error: unknown) => {
    throw new IntakeFailure('temporary_folder', 'expected a writable temporary folder, got none', { cause: error });
  });
  try {
    return await use(await spool(content, join(folder, 'archive'), limitsOf(context)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function spool(content: EvidenceContent, path: string, limits: Limits): Promise<SpooledArchive> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of content instanceof Uint8Array ? [content] : sourceChunks(content)) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > limits.archiveBytesMax) {
        throw new Refused('too_large', `expected an archive of at most ${limits.archiveBytesMax} bytes, got more`);
      }
      hash.update(chunk);
      await handle.appendFile(chunk);
    }
  } finally {
    await handle.close();
  }
  return { path, sizeBytes, digest: `sha256:${hash.digest('hex')}` };
}

/** A sender that goes away midway is no fault of the content, so it is told apart from a truncated archive. */
async function* sourceChunks(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    if (error instanceof Refused || error instanceof IntakeFailure) throw error;
    throw new IntakeFailure('source_broke', 'expected the whole archive, got a broken stream', { cause: error });
  }
}

function entriesOf(archive: SpooledArchive, format: ArchiveFormat, limits: Limits) {
  if (format === 'zip') return zipEntries(archive.path, limits);
  return tarEntries(format === 'tar' ? storedChunks(archive.path) : gunzipped(archive, limits));
}

async function formatOf(archive: SpooledArchive): Promise<ArchiveFormat> {
  if (archive.sizeBytes === 0) throw new Refused('empty', 'expected an archive, got no bytes');
  const start = await startOf(archive.path);
  const signature = start.subarray(0, 4).toString('latin1');
  if (signature === 'PK\x03\x04' || signature === 'PK\x05\x06') return 'zip';
  if (signature.startsWith('\x1f\x8b')) return 'tar.gz';
  if (isTarHeader(start)) return 'tar';
  throw new Refused('not_an_archive', 'expected a zip, tar or tar.gz, got something else');
}

async function startOf(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const start = Buffer.alloc(TAR_BLOCK_BYTES);
    const { bytesRead } = await handle.read(start, 0, start.byteLength, 0);
    return start.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
