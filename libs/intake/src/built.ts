import { createHash } from 'node:crypto';
import type { Digest, EvidenceStore } from '@proviso/evidence';
import { type FreezeContext, freezeEntries } from './freeze.ts';
import type { Manifest } from './manifest.ts';
import { answering, type Refusal } from './refusal.ts';
import { storedChunks } from './stored-archive.ts';
import { tarEntries } from './tar-archive.ts';

/** What a build left, as a manifest. */
export type BuiltContent = {
  readonly kind: 'built';
  readonly artifactDigest: Digest;
  readonly manifest: Manifest;
  readonly sizeBytes: number;
};

/** The answer: content, or why it is not taken in. */
export type BuiltResult = BuiltContent | Refusal;

/**
 * Freezes the tar that a sandbox wrote, under all the rules for a stranger's archive, since a stranger's program has
 * written the files in it. Unlike an upload it keeps installed packages, and no folder is stripped: the paths of a
 * contract count from the top.
 */
export async function freezeBuilt(path: string, context: FreezeContext): Promise<BuiltResult> {
  return await answering(async () => {
    const entries = tarEntries(storedChunks(path));
    const { artifactDigest, manifest, sizeBytes } = await freezeEntries({ entries, context, built: true });
    return { kind: 'built', artifactDigest, manifest, sizeBytes };
  });
}

/** The same manifest without storing anything: for a second build that is only compared with the first. */
export async function describeBuilt(path: string, tempFolder: string): Promise<BuiltResult> {
  return await freezeBuilt(path, { store: { put: hashed }, tempFolder });
}

const hashed: EvidenceStore['put'] = async (content) => {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes };
};
