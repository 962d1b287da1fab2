import { scanCandidate } from '@proviso/gates';
import { withCandidate } from '../candidate-folder.ts';
import type { Errand } from '../errand.ts';
import { type Acted, reportOf } from '../step-outcome.ts';

/** Looks for secrets in the candidate's files. */
export async function scan({ ports, state, signal }: Errand): Promise<Acted> {
  return await withCandidate(ports, state.candidate.manifest.artifact, async (folders) =>
    reportOf(await scanCandidate(folders, { evidence: ports.evidence, signal })),
  );
}
