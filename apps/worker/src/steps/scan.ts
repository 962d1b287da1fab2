import { join } from 'node:path';
import { artifactOf } from '@proviso/domain';
import { runChild, scanCandidate } from '@proviso/gates';
import { type ManifestFile, materialise, readFrozen } from '@proviso/intake';
import { withCandidate } from '../candidate-folder.ts';
import { readJournal } from '../clerk.ts';
import type { Sight } from '../errand.ts';
import { notIsolated } from '../release-start.ts';
import { type Acted, reportOf } from '../step-outcome.ts';

/** Looks for secrets in the candidate's files, and in those that a build has made of them. */
export async function scan(sight: Sight): Promise<Acted> {
  const { ports, state, subject, signal } = sight;
  const { evidence, isolated } = ports;
  if (isolated === null) {
    const prototype = await readJournal(ports, subject, async (reads) => await reads.prototype(state.prototype));
    if (prototype?.state.trusted !== true) return notIsolated;
  }
  return await withCandidate(ports, state.candidate.manifest.artifact, async (folders) => {
    const builtFolder = await builtFiles(sight, join(folders.scratchFolder, 'built'));
    const built = builtFolder === null ? {} : { builtFolder };
    return reportOf(await scanCandidate({ ...folders, ...built }, { evidence, signal, run: isolated ?? runChild }));
  });
}

/** Installed packages are as they were published, by their hash, and too many to look for somebody's key in them. */
const installedFolder = /(^|\/)(node_modules|python_packages)\//;

/** Writes out what a build made or changed; null when nothing was built. */
async function builtFiles({ ports, state }: Sight, folder: string): Promise<string | null> {
  const source = state.candidate.manifest.artifact;
  const artifact = artifactOf(state);
  if (artifact === source) return null;
  const known = new Set((await readFrozen(ports.evidence, source)).files.map(nameOf));
  const isNew = (file: ManifestFile): boolean => !known.has(nameOf(file)) && !installedFolder.test(file.path);
  await materialise(ports.evidence, artifact, folder, isNew);
  return folder;
}

function nameOf({ path, sha256 }: ManifestFile): string {
  return `${sha256} ${path}`;
}
