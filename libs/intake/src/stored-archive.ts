import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { compressionGuard } from './compression-guard.ts';
import type { Limits } from './limits.ts';
import { Refused } from './refusal.ts';

/** The chunks of an archive on disk as they are. */
export async function* storedChunks(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path);
}

/** The chunks of a gzipped archive on disk, unpacked one at a time under the guard against bombs. */
export async function* gunzipped(
  archive: { readonly path: string; readonly sizeBytes: number },
  limits: Limits,
): AsyncGenerator<Uint8Array> {
  const guard = compressionGuard(archive.sizeBytes, limits);
  const gunzip = createGunzip();
  // The pipeline closes the file whichever side ends first; its error reaches us through the loop below.
  pipeline(createReadStream(archive.path), gunzip, () => undefined);
  let unpackedBytes = 0;
  try {
    for await (const chunk of gunzip) {
      unpackedBytes += chunk.byteLength;
      guard(unpackedBytes);
      if (unpackedBytes > limits.streamBytesMax) {
        throw new Refused('too_large', `expected at most ${limits.streamBytesMax} bytes unpacked, got more`);
      }
      yield chunk;
    }
  } catch (error) {
    throw asCorrupt(error, 'an intact gzip stream');
  }
}

/** The codes with which zlib says that its input is damaged; other errors are ours or the disk's. */
const damage: ReadonlySet<string> = new Set(['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT', 'Z_STREAM_ERROR']);

function asCorrupt(error: unknown, expected: string): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !damage.has(code)) return error;
  return new Refused('corrupt_archive', `expected ${expected}, got a damaged or truncated one`);
}
