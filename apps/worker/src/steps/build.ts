import { buildCandidate } from '@proviso/build';
import { withCandidate } from '../candidate-folder.ts';
import type { Errand } from '../errand.ts';
import { type Acted, reportOf } from '../step-outcome.ts';

/** Builds the candidate; what comes out is what every later step looks at. */
export async function build({ ports, state, grant, signal }: Errand): Promise<Acted> {
  const source = state.candidate.manifest.artifact;
  return await withCandidate(ports, source, async ({ folder, scratchFolder }) => {
    const invocation = `${state.id}/build/${grant.attempt}`;
    const input = { folder, source, earlier: state.built ?? null, scratchFolder, invocation };
    const { evidence, builder, clock } = ports;
    const { built, ...outcome } = await buildCandidate(input, { evidence, builder, now: clock.now, signal });
    return reportOf(outcome, built);
  });
}
