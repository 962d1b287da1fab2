import { type Contract, artifactOf, pinnedRule, runOrderOf } from '@proviso/domain';
import { evaluateCandidate, findContract } from '@proviso/gates';
import { TargetFailure, type TrialOrder, type TrialState } from '@proviso/targets';
import { withCandidate } from '../candidate-folder.ts';
import { readJournal } from '../clerk.ts';
import { withEgress } from '../egress-finding.ts';
import type { Errand, Sight } from '../errand.ts';
import { type StartBounds, type Started, fetchMsMax, startBoundsOf, startOf, startPollMs } from '../release-start.ts';
import { routedFetch } from '../routed-fetch.ts';
import { type Acted, refusing, reportOf } from '../step-outcome.ts';

/** A worker that dies leaves its trial behind for at most this long. */
const trialLeaseMs = 30_000;
/** Three renewals fit into a lease, so one that is lost does no harm. */
const renewEveryMs = 10_000;

/** The gate's own evaluation. */
export async function evaluation(errand: Errand): Promise<Acted> {
  const { state, grant } = errand;
  const { bar, repeats } = pinnedRule(state.policy, 'evaluation');
  // The fence makes the name: an older claimant that wakes up ends its own trial and not ours.
  return await evaluated(errand, { trial: `${state.id.slice('prm_'.length)}-${grant.fence}`, bar, repeats });
}

/** Starts the version in a process of its own on the edge, puts the cases to it, and ends the process. */
export async function evaluated(
  sight: Sight,
  { trial, bar, repeats }: { readonly trial: string; readonly bar: number; readonly repeats: number },
): Promise<Acted> {
  const { ports, state, subject } = sight;
  const prototype = await readJournal(ports, subject, async (reads) => await reads.prototype(state.prototype));
  const trusted = prototype?.state.trusted === true;
  return await withCandidate(ports, state.candidate.manifest.artifact, async ({ folder }) => {
    const found = await findContract(folder);
    if (!found.ok) return refusing('fail', ...found.reasons);
    return await withTrial(sight, { id: trial, contract: found.contract, trusted }, async (host) => {
      const input = { folder, contract: found.contract, baseUrl: ports.routerUrl, bar, repeats, nonce: ports.drawId() };
      const fetch = routedFetch(host, ports.gatePass);
      return reportOf(await evaluateCandidate(input, { evidence: ports.evidence, fetch, signal: sight.signal }));
    });
  });
}

async function withTrial(
  sight: Sight,
  { id, contract, trusted }: { readonly id: string; readonly contract: Contract; readonly trusted: boolean },
  use: (host: string) => Promise<Acted>,
): Promise<Acted> {
  const { ports, state } = sight;
  const order: TrialOrder = {
    release: `trial-${id}`,
    artifactDigest: artifactOf(state),
    trusted,
    contract: runOrderOf(contract),
    // What is judged has what people will see in staging.
    lane: state.lanes.staging,
    leaseMs: trialLeaseMs,
  };
  const over = new AbortController();
  try {
    const { host } = await ports.edge.startTrial(id, order);
    const renewing = renew(sight, { id, order, over: over.signal });
    const started = await awaitTrial(sight, { id, ...startBoundsOf(contract) });
    const acted = started.kind === 'ready' ? await use(host) : started.acted;
    // Throws when the edge is gone or has forgotten the trial: what was then answered was not the candidate's.
    const { release } = await ports.edge.trial(id);
    over.abort();
    await renewing;
    return withEgress(acted, release);
  } finally {
    over.abort();
    // A trial that cannot be ended now ends with its lease.
    await ports.edge.stopTrial(id).catch(() => ports.log.warn({ trial: id }, 'trial.not_stopped'));
  }
}

async function renew(
  { ports, signal }: Sight,
  trial: { readonly id: string; readonly order: TrialOrder; readonly over: AbortSignal },
): Promise<void> {
  const until = AbortSignal.any([signal, trial.over]);
  while (!until.aborted) {
    await ports.clock.pause(renewEveryMs, until).catch(() => undefined);
    if (until.aborted) return;
    // An edge that does not answer is noticed by the cases themselves.
    await ports.edge.renewTrial(trial.id, trial.order).catch(() => undefined);
  }
}

async function awaitTrial(
  { ports, signal }: Sight,
  { id, ...within }: { readonly id: string } & StartBounds,
): Promise<Started> {
  const { clock } = ports;
  const deadline = clock.now() + within.readyMs + fetchMsMax;
  for (;;) {
    const late = clock.now() >= deadline;
    const trial = await trialOf(ports.edge.trial(id), late);
    const started = trial === null ? null : startOf(trial.release, { ...within, late });
    if (started !== null) return started;
    await clock.pause(startPollMs, signal);
  }
}

async function trialOf(asked: Promise<TrialState>, late: boolean): Promise<TrialState | null> {
  try {
    return await asked;
  } catch (error) {
    if (late || !(error instanceof TargetFailure && error.retryable)) throw error;
    return null;
  }
}
