import type { Digest, EvidenceStore } from '@proviso/evidence';
import { compressionGuard } from './compression-guard.ts';
import { checkPathBounds, parseEntryPath, type SkipRule, skippedPart } from './entry-path.ts';
import { LIMITS, type Limits } from './limits.ts';
import { type Manifest, type ManifestFile, manifestBytes, manifestOf } from './manifest.ts';
import { pathRegister } from './path-register.ts';
import type { Provenance } from './provenance.ts';
import { type Refusal, Refused } from './refusal.ts';
import type { SourceEntry } from './source-entry.ts';
import { type WriteWindow, writeWindow } from './write-window.ts';

/** What every intake needs: where blobs go, where it may write while it works, and bounds other than the usual ones. */
export type FreezeContext = {
  readonly store: Pick<EvidenceStore, 'put'>;
  /** An existing folder; each intake makes its own folder in it and removes that again. Nothing is written elsewhere. */
  readonly tempFolder: string;
  readonly limits?: Partial<Limits>;
};

/** A file or folder that a rule left out, told to the person, because a gate will not see it. */
export type Skipped = { readonly path: string; readonly rule: SkipRule };

/** Content that lies in the evidence store, whole and durable. */
export type Frozen = {
  readonly kind: 'frozen';
  readonly artifactDigest: Digest;
  readonly manifest: Manifest;
  readonly sizeBytes: number;
  /** The folder of the source that became the root, `''` when nothing was stripped. */
  readonly root: string;
  readonly skipped: readonly Skipped[];
  readonly provenance: Provenance;
};

/** The answer of every intake. */
export type FreezeResult = Frozen | Refusal;

/** Content that was frozen but not yet joined with where it came from. */
export type FrozenContent = Omit<Frozen, 'provenance'>;

/** The usual bounds with those of the caller over them. */
export function limitsOf(context: FreezeContext): Limits {
  return { ...LIMITS, ...context.limits };
}

/** Of more skipped paths than this only the first are told; nobody reads on. */
const SKIPPED_LISTED_MAX = 100;

/** Files up to this size are held in memory while they wait for a place in the window; larger ones are streamed. */
const BUFFERED_BYTES_MAX = 256 * 1024;

/**
 * Reads entries once, stores each file, and stores the manifest last: whoever holds its digest can read everything. If
 * we die or refuse midway, the blobs written so far are orphans, which the store's collection removes.
 */
export async function freezeEntries(request: {
  entries: AsyncIterable<SourceEntry>;
  context: FreezeContext;
  /** The size of the archive the entries are unpacked from, where there is one. */
  packedBytes?: number;
  /** What a build of ours has left: nothing in it is litter, and its folders mean something. */
  built?: boolean;
}): Promise<FrozenContent> {
  const intake = openIntake(request.context, request);
  try {
    for await (const entry of request.entries) await takeEntry(intake, entry);
  } finally {
    // A refusal is the better answer than a write that broke because of it, and it is already on its way out.
    await intake.window.settle().catch((error: unknown) => {
      intake.writeError ??= { error };
    });
  }
  if (intake.writeError) throw intake.writeError.error;
  return storeManifest(intake);
}

type Intake = {
  readonly store: FreezeContext['store'];
  readonly built: boolean;
  readonly limits: Limits;
  readonly files: ManifestFile[];
  readonly skipped: Map<string, Skipped>;
  readonly register: (path: string) => void;
  readonly guard: (unpackedBytes: number) => void;
  readonly window: WriteWindow;
  entries: number;
  filesAdmitted: number;
  claimedBytes: number;
  unpackedBytes: number;
  writeError: { error: unknown } | undefined;
};

function openIntake(
  context: FreezeContext,
  { packedBytes, built = false }: { packedBytes?: number; built?: boolean },
): Intake {
  const limits = limitsOf(context);
  return {
    store: context.store,
    built,
    limits,
    files: [],
    skipped: new Map(),
    register: pathRegister(),
    guard: packedBytes === undefined ? () => undefined : compressionGuard(packedBytes, limits),
    window: writeWindow(),
    entries: 0,
    filesAdmitted: 0,
    claimedBytes: 0,
    unpackedBytes: 0,
    writeError: undefined,
  };
}

async function takeEntry(intake: Intake, entry: SourceEntry): Promise<void> {
  intake.entries += 1;
  if (intake.entries > intake.limits.entriesMax) {
    throw new Refused('too_many_files', `expected at most ${intake.limits.entriesMax} entries, got more`);
  }
  const path = parseEntryPath(entry.path);
  if (path === undefined) return;
  const skipped = intake.built ? undefined : skippedPart(path);
  if (skipped) {
    if (intake.skipped.size < SKIPPED_LISTED_MAX) intake.skipped.set(skipped.path, skipped);
    return;
  }
  checkPathBounds(path, intake.limits);
  if (entry.kind === 'folder') return;
  refuseUnlessFile(entry, path);
  admitFile(intake, entry, path);
  await storeFile(intake, entry, path);
}

/** A link would mean different content on another machine, so none is taken in, also when it stays inside. */
function refuseUnlessFile(entry: SourceEntry, path: string): void {
  if (entry.kind === 'symlink') {
    throw new Refused('link_refused', 'expected files, got a symbolic link; replace it by a copy of its target', path);
  }
  if (entry.kind === 'hardlink') {
    const remedy = 'pack again with tar --hard-dereference';
    throw new Refused('link_refused', `expected files, got a hard link to another entry; ${remedy}`, path);
  }
  if (entry.kind !== 'file') {
    throw new Refused('special_file', 'expected files, got a device, pipe, socket, submodule or unknown entry', path);
  }
}

/** Refuses on claims before a byte is unpacked; `counted` later holds the content to them. */
function admitFile(intake: Intake, entry: SourceEntry, path: string): void {
  const { limits } = intake;
  intake.filesAdmitted += 1;
  if (intake.filesAdmitted > limits.filesMax) {
    throw new Refused('too_many_files', `expected at most ${limits.filesMax} files, got more`);
  }
  intake.register(path);
  intake.claimedBytes += entry.sizeClaimedBytes ?? 0;
  intake.guard(intake.claimedBytes);
  refuseLarge({ limits, path, fileBytes: entry.sizeClaimedBytes ?? 0, unpackedBytes: intake.claimedBytes });
}

function refuseLarge(sizes: { limits: Limits; path: string; fileBytes: number; unpackedBytes: number }): void {
  const { limits, path } = sizes;
  if (sizes.fileBytes > limits.fileBytesMax) {
    throw new Refused('too_large', `expected files of at most ${limits.fileBytesMax} bytes, got a larger one`, path);
  }
  if (sizes.unpackedBytes > limits.unpackedBytesMax) {
    throw new Refused('too_large', `expected at most ${limits.unpackedBytesMax} bytes in all files, got more`);
  }
}

async function storeFile(intake: Intake, entry: SourceEntry, path: string): Promise<void> {
  const put = async (content: Uint8Array | AsyncIterable<Uint8Array>) => {
    const { digest, sizeBytes } = await intake.store.put(content, { sizeMaxBytes: intake.limits.fileBytesMax });
    const sha256 = digest.slice('sha256:'.length);
    intake.files.push({ path, mode: entry.executable ? 'executable' : 'file', sizeBytes, sha256 });
  };
  const chunks = counted(intake, entry, path);
  const start: Uint8Array[] = [];
  let startBytes = 0;
  while (startBytes <= BUFFERED_BYTES_MAX) {
    const next = await chunks.next();
    if (next.done) {
      await intake.window.add(() => put(Buffer.concat(start)));
      return;
    }
    start.push(next.value);
    startBytes += next.value.byteLength;
  }
  await put(continued(start, chunks));
}

async function* continued(start: Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* start;
  yield* rest;
}

async function* counted(intake: Intake, entry: SourceEntry, path: string): AsyncGenerator<Uint8Array> {
  let fileBytes = 0;
  for await (const chunk of entry.content()) {
    fileBytes += chunk.byteLength;
    intake.unpackedBytes += chunk.byteLength;
    intake.guard(intake.unpackedBytes);
    refuseLarge({ limits: intake.limits, path, fileBytes, unpackedBytes: intake.unpackedBytes });
    yield chunk;
  }
  if (entry.sizeClaimedBytes !== undefined && entry.sizeClaimedBytes !== fileBytes) {
    const message = `expected ${entry.sizeClaimedBytes} bytes as announced, got ${fileBytes}`;
    throw new Refused('corrupt_archive', message, path);
  }
}

async function storeManifest(intake: Intake): Promise<FrozenContent> {
  if (intake.files.length === 0) throw new Refused('empty', 'expected at least one file, got none');
  const root = intake.built ? '' : singleRoot(intake.files.map((file) => file.path));
  const files = intake.files.map((file) => ({ ...file, path: file.path.slice(root.length) }));
  const manifest = manifestOf(files);
  const { digest } = await intake.store.put(manifestBytes(manifest), { mediaType: 'application/json' });
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const skipped = [...intake.skipped.values()];
  return { kind: 'frozen', artifactDigest: digest, manifest, sizeBytes, root: root.replace(/\/$/, ''), skipped };
}

/**
 * The folder that holds everything, with its slash. All single top folders are stripped, from every kind of source:
 * only then has the same content one digest however often and wherever it was wrapped.
 */
function singleRoot(paths: readonly string[]): string {
  const first = paths[0] ?? '';
  let root = '';
  while (true) {
    const slash = first.indexOf('/', root.length);
    const deeper = first.slice(0, slash + 1);
    if (slash < 0 || !paths.every((path) => path.startsWith(deeper))) return root;
    root = deeper;
  }
}
