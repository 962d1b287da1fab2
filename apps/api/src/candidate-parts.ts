import { type CandidateManifest, manifestParts, partOfFile } from '@proviso/domain';
import { digestOf } from '@proviso/evidence';
import { type Manifest, manifestBytes } from '@proviso/intake';

/**
 * The digest of each part that a version has files of: that of the manifest which those files alone would have. Where
 * everything is code it is the artifact's own, which is what all versions had from before parts were told apart.
 */
export function partsOf({ v, files }: Manifest): CandidateManifest['parts'] {
  const parts = manifestParts.flatMap((part) => {
    const own = files.filter((file) => partOfFile(file) === part);
    return own.length === 0 ? [] : [[part, digestOf(manifestBytes({ v, files: own }))] as const];
  });
  return Object.fromEntries(parts);
}
