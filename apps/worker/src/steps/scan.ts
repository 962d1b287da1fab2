import { runChild, scanCandidate } from '@proviso/gates';
import { withCandidate } from '../candidate-folder.ts';
import { readJournal } from '../clerk.ts';
import type { Errand } from '../errand.ts';
import { notIsolated } from '../release-start.ts';
import { type Acted, reportOf } from '../step-outcome.ts';

/** Looks for secrets in the candidate's files. */
export async function scan({ ports, state, subject, signal }: Errand): Promise<Acted> {
  const { evidence, isolated } = ports;
  if (isolated === null) {
    const prototype = await readJournal(ports, subject, async (reads) => await reads.prototype(state.prototype));
    if (prototype?.state.trusted !== true) return notIsolated;
  }
  return await withCandidate(ports, state.candidate.manifest.artifact, async (folders) =>
    reportOf(await scanCandidate(folders, { evidence, signal, run: isolated ?? runChild })),
  );
}
