import type { Digest } from '@proviso/evidence';
import { parseEntryPath } from './entry-path.ts';
import { IntakeFailure } from './intake-failure.ts';
import { pathRegister } from './path-register.ts';
import { Refused } from './refusal.ts';

/** One file of a candidate. Owners, times and all other modes are no part of it, because they change without the content. */
export type ManifestFile = {
  readonly path: string;
  readonly mode: 'file' | 'executable';
  readonly sizeBytes: number;
  /** 64 hexadecimal digits; the file lies in the evidence store under `sha256:` and these. */
  readonly sha256: string;
};

/** The frozen content of a candidate. Invariant: files are sorted by the bytes of their path, and there is at least one. */
export type Manifest = { readonly v: 1; readonly files: readonly ManifestFile[] };

/** Sorts files into the one order of a manifest: by the bytes of the path in UTF-8, as git and `LC_ALL=C sort` do. */
export function manifestOf(files: readonly ManifestFile[]): Manifest {
  const keyed = files.map((file) => ({ file, key: Buffer.from(file.path) }));
  keyed.sort((left, right) => Buffer.compare(left.key, right.key));
  return { v: 1, files: keyed.map(({ file }) => file) };
}

/** The bytes whose hash is the artifact digest: canonical JSON of RFC 8785, which for this shape is key order only. */
export function manifestBytes(manifest: Manifest): Uint8Array {
  const files = manifest.files.map(({ mode, path, sha256, sizeBytes }) => ({ mode, path, sha256, sizeBytes }));
  return new TextEncoder().encode(JSON.stringify({ files, v: manifest.v }));
}

/**
 * Reads manifest bytes. A stranger may have stored any document and hand us its digest as an artifact, so everything is
 * checked again, and bytes that are not the canonical ones are refused.
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  const manifest = manifestOf(filesOf(parseJson(bytes)));
  if (Buffer.compare(manifestBytes(manifest), bytes) !== 0) throw invalid('canonical bytes');
  if (manifest.files.length === 0) throw invalid('at least one file');
  const register = pathRegister();
  for (const file of manifest.files) {
    if (checkedPath(file.path, register) !== file.path) throw invalid('paths in their one spelling');
  }
  return manifest;
}

/** The address of one file's bytes in the evidence store. */
export function fileDigest(file: ManifestFile): Digest {
  return `sha256:${file.sha256}`;
}

function checkedPath(path: string, register: (path: string) => void): string | undefined {
  try {
    register(path);
    return parseEntryPath(path);
  } catch (error) {
    if (error instanceof Refused) throw new IntakeFailure('manifest_invalid', error.message, { cause: error });
    throw error;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new IntakeFailure('manifest_invalid', 'expected a manifest in JSON, got something else', { cause: error });
  }
}

function filesOf(json: unknown): ManifestFile[] {
  if (!isRecord(json) || json['v'] !== 1 || !Array.isArray(json['files'])) throw invalid('version 1 and files');
  return json['files'].map((file: unknown) => {
    if (!isManifestFile(file)) throw invalid('files with path, mode, size and hash');
    return file;
  });
}

function isManifestFile(file: unknown): file is ManifestFile {
  return (
    isRecord(file) &&
    typeof file['path'] === 'string' &&
    (file['mode'] === 'file' || file['mode'] === 'executable') &&
    typeof file['sizeBytes'] === 'number' &&
    Number.isSafeInteger(file['sizeBytes']) &&
    file['sizeBytes'] >= 0 &&
    typeof file['sha256'] === 'string' &&
    /^[0-9a-f]{64}$/.test(file['sha256'])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(expected: string): IntakeFailure {
  return new IntakeFailure('manifest_invalid', `expected a manifest with ${expected}, got one without`);
}
