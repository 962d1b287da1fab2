import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endLeftSandboxes } from '@proviso/build';
import type { EvidenceStore } from '@proviso/evidence';
import { type ContractFound, contractFileName, findContract } from '@proviso/gates';
import { materialise, readFrozen, readFrozenFile } from '@proviso/intake';

/** Where candidates lie while a gate looks at them, and what they are unpacked from. */
export interface Unpacking {
  readonly evidence: EvidenceStore;
  readonly workFolder: string;
}

/** Unpacks a candidate, lets the caller look at it, and removes it whatever happens. */
export async function withCandidate<Result>(
  unpacking: Unpacking,
  artifact: string,
  use: (folders: { readonly folder: string; readonly scratchFolder: string }) => Promise<Result>,
): Promise<Result> {
  return await withFolder(unpacking.workFolder, async (root) => {
    const folders = { folder: join(root, 'tree'), scratchFolder: join(root, 'scratch') };
    await mkdir(folders.scratchFolder);
    await materialise(unpacking.evidence, artifact, folders.folder);
    return await use(folders);
  });
}

/** The contract of a candidate, without unpacking the rest of it. */
export async function contractOf(unpacking: Unpacking, artifact: string): Promise<ContractFound> {
  const manifest = await readFrozen(unpacking.evidence, artifact);
  const bytes = await readFrozenFile(unpacking.evidence, manifest, contractFileName);
  return await withFolder(unpacking.workFolder, async (root) => {
    if (bytes !== undefined) await writeFile(join(root, contractFileName), bytes);
    return await findContract(root);
  });
}

/**
 * Removes what earlier workers left behind when they were killed. The name tells whose it is; a folder of a living process
 * stays, also when a stranger has got that number meanwhile: then the next start removes it. Our own number is that of an
 * earlier worker at the start, and later the one at work.
 */
export async function sweepCandidates(workFolder: string, whose: 'all' | 'others' = 'all'): Promise<number> {
  await mkdir(workFolder, { recursive: true });
  const left = (await readdir(workFolder)).filter((name) => {
    const owner = /^candidate-(\d+)-/.exec(name)?.[1];
    return owner !== undefined && (Number(owner) === process.pid ? whose === 'all' : !isAlive(Number(owner)));
  });
  for (const name of left) {
    await endLeftSandboxes(join(workFolder, name));
    await rm(join(workFolder, name), { recursive: true, force: true });
  }
  return left.length;
}

async function withFolder<Result>(workFolder: string, use: (root: string) => Promise<Result>): Promise<Result> {
  await mkdir(workFolder, { recursive: true });
  const root = await mkdtemp(join(await realpath(workFolder), `candidate-${process.pid}-`));
  try {
    return await use(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
