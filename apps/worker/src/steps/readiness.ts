import { assessReadiness } from '@proviso/gates';
import { withCandidate } from '../candidate-folder.ts';
import type { Errand } from '../errand.ts';
import { type Acted, reportOf } from '../step-outcome.ts';

/** Reads the candidate's contract and files. */
export async function readiness({ ports, state, signal }: Errand): Promise<Acted> {
  const gates: readonly string[] = state.policy.gates.map(({ gate }) => gate);
  return await withCandidate(ports, state.candidate.manifest.artifact, async ({ folder }) =>
    reportOf(await assessReadiness({ folder, builds: gates.includes('build') }, { evidence: ports.evidence, signal })),
  );
}
