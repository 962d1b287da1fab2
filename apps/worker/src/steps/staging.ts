import { createHash } from 'node:crypto';
import { type Contract, type LaneState, artifactOf, invariant, releaseIdOf, worstOf } from '@proviso/domain';
import { type GateOutcome, type ObservedLane, type ServedAnswer, compareRehearsal, smokeRelease } from '@proviso/gates';
import type { LaneReport } from '@proviso/targets';
import { contractOf } from '../candidate-folder.ts';
import { readJournal } from '../clerk.ts';
import { storeDocument } from '../document.ts';
import { withEgress } from '../egress-finding.ts';
import type { Errand } from '../errand.ts';
import { awaitRelease, observed, startBoundsOf, startPollMs } from '../release-start.ts';
import { routedFetch } from '../routed-fetch.ts';
import { type Acted, StepBreakage, refusing, reportOf } from '../step-outcome.ts';

/** An edge asks once a second; ten times that and something is wrong with it. */
const followMsMax = 15_000;
/** A page that takes longer is compared by nothing. */
const lookMsMax = 10_000;
/** A stable release that was live is up as a rule; starting it anew takes seconds. */
const stableReadyMs = 60_000;

/**
 * Deploys into staging, rehearses the rollback on what really runs, tries the probes, and leaves a preview: weight 0,
 * look; 100, smoke; 0, look again and compare; 100. Each weight is decided by the journal, so a step that is begun anew
 * simply walks the same way.
 */
export async function staging(errand: Errand): Promise<Acted> {
  const { ports, state } = errand;
  const found = await contractOf(ports, state.candidate.manifest.artifact);
  if (!found.ok) return refusing('fail', ...found.reasons);
  const lane = await stagingLane(errand);
  const started = await awaitRelease({ ...ports, signal: errand.signal }, candidateIn(errand, found.contract));
  if (started.kind === 'not') return started.acted;
  await stableIsUp(errand, lane);
  const boot = await bootOf(errand);
  const looking = { lane, contract: found.contract };
  if (!(await weigh(errand, 0, 'reset'))) return { kind: 'ask' };
  const before = await lookAt(errand, looking);
  if (!(await weigh(errand, 100, 'rehearse'))) return { kind: 'ask' };
  const { baseUrl, fetch } = { baseUrl: ports.routerUrl, fetch: routedFetch(lane.host, ports.gatePass) };
  const smokePorts = { evidence: ports.evidence, fetch, signal: errand.signal };
  const smoke = await smokeRelease({ contract: found.contract, baseUrl, nonce: ports.drawId() }, smokePorts);
  const rehearsed = await lookAt(errand, looking);
  if (!(await weigh(errand, 0, 'restore'))) return { kind: 'ask' };
  const after = await lookAt(errand, looking);
  if (!(await weigh(errand, 100, 'preview'))) return { kind: 'ask' };
  // Pages that an edge put up while it died or came back are no answers of the candidate: a breakage, not a no.
  if ((await bootOf(errand)) !== boot) throw new StepBreakage('edge_restarted');
  const { releases } = await ports.edge.observe(lane.id);
  const candidate = releases.find((each) => each.release === releaseIdOf(state.id));
  return withEgress(reportOf(await together(errand, { smoke, before, rehearsed, after })), candidate ?? {});
}

async function bootOf({ ports, state }: Errand): Promise<string> {
  return (await ports.edge.counts(state.lanes.staging)).boot;
}

async function stagingLane({ ports, subject, state }: Errand): Promise<LaneState> {
  const view = await readJournal(ports, subject, async (reads) => await reads.lane(state.lanes.staging));
  invariant(view !== null, 'expected the staging lane of an open promotion');
  return view.state;
}

function candidateIn({ state, grant }: Errand, contract: Contract) {
  return {
    lane: state.lanes.staging,
    laneFence: grant.laneFence ?? 0,
    release: releaseIdOf(state.id),
    artifact: artifactOf(state),
    ...startBoundsOf(contract),
  };
}

/** What serves production runs here too, so that the rehearsal goes back to what users would go back to. */
async function stableIsUp({ ports, signal, grant }: Errand, lane: LaneState): Promise<void> {
  if (lane.stable === null) return;
  const { id, artifact } = lane.stable;
  const awaited = {
    lane: lane.id,
    laneFence: grant.laneFence ?? 0,
    release: id,
    artifact,
    readyMs: stableReadyMs,
    withheld: [],
  };
  const started = await awaitRelease({ ...ports, signal }, awaited);
  // It is not the candidate's fault when what serves today cannot be started in staging.
  if (started.kind === 'not') throw new StepBreakage('stable_not_ready');
}

/** Asks the journal for a weight and waits until the edge serves it; false when this claim counts no more. */
async function weigh(errand: Errand, percent: number, verb: string): Promise<boolean> {
  const { ports, clerk, subject, grant, state, signal } = errand;
  const command = {
    kind: 'Weigh',
    promotion: subject.promotion,
    environment: 'staging',
    fence: grant.fence,
    percent,
  } as const;
  const receipt = await clerk.submit(command, errand.key(`weigh-${verb}`));
  if (receipt.kind === 'refused' || receipt.answer.kind !== 'steered' || !receipt.answer.going) return false;
  ports.fault('during_weight_change');
  const { laneFence } = receipt.answer;
  const deadline = ports.clock.now() + followMsMax;
  for (;;) {
    const late = ports.clock.now() >= deadline;
    const report = await observed(ports.edge, state.lanes.staging, late);
    if (report !== null && report.fence.counter >= laneFence && report.weightServedPercent === percent) return true;
    if (late) throw new StepBreakage('edge_behind');
    await ports.clock.pause(startPollMs, signal);
  }
}

interface Looking {
  readonly lane: LaneState;
  readonly contract: Contract;
}

/** What the lane serves right now, as seen from outside: never what our own rows say. */
async function lookAt(errand: Errand, { lane, contract }: Looking): Promise<ObservedLane> {
  const report = await errand.ports.edge.observe(lane.id);
  const serving = servingOf(report, lane, releaseIdOf(errand.state.id));
  const release = report.releases.find((each) => each.release === serving && each.state === 'ready');
  if (release === undefined) return 'closed';
  return {
    releaseId: release.release,
    treeDigest: release.treeDigest ?? 'unknown',
    served: await answersOf(errand, { host: lane.host, contract }),
  };
}

function servingOf(report: LaneReport, lane: LaneState, candidate: string): string | null {
  return report.weightServedPercent === 100 ? candidate : (lane.stable?.id ?? null);
}

/** The declared probes that only read, asked twice: what differs by itself is compared by its status alone. */
async function answersOf(
  { ports, signal }: Errand,
  { host, contract }: { readonly host: string; readonly contract: Contract },
): Promise<readonly ServedAnswer[]> {
  const fetch = routedFetch(host, ports.gatePass);
  const paths = [contract.probes.health, ...contract.probes.smoke.filter(onlyReads).map((probe) => probe.path)];
  const answers: ServedAnswer[] = [];
  for (const path of new Set(paths)) {
    const ask = async (): Promise<{ status: number; digest: string }> => {
      const within = AbortSignal.any([signal, AbortSignal.timeout(lookMsMax)]);
      const url = ports.routerUrl.replace(/\/+$/, '') + path;
      const { status, body } = await fetch(url, { method: 'GET', headers: {}, redirect: 'manual', signal: within });
      const hash = createHash('sha256');
      for await (const chunk of body ?? []) hash.update(chunk);
      return { status, digest: `sha256:${hash.digest('hex')}` };
    };
    const [first, second] = [await ask(), await ask()];
    const { status, digest } = second;
    answers.push({ probe: path, status, ...(first.digest === digest && { digest }) });
  }
  return answers;
}

function onlyReads(probe: Contract['probes']['smoke'][number]): boolean {
  return probe.method === 'GET' && probe.body === undefined;
}

async function together(
  { ports, state }: Errand,
  seen: { smoke: GateOutcome; before: ObservedLane; rehearsed: ObservedLane; after: ObservedLane },
): Promise<GateOutcome> {
  const { smoke, before, rehearsed, after } = seen;
  const rehearsal = compareRehearsal({ before, rehearsed, after });
  const artifact = artifactOf(state);
  const document = { kind: 'rehearsal_report', v: 1, artifact, before, rehearsed, after, ...rehearsal };
  const digest = await storeDocument(ports.evidence, document);
  const verdict = worstOf([smoke.verdict, rehearsal.verdict]);
  return {
    verdict: verdict === 'waived' ? 'pass' : verdict,
    reasons: [...smoke.reasons, ...rehearsal.reasons],
    evidence: [...smoke.evidence, { kind: 'rehearsal_report', digest }],
    controls: smoke.controls,
  };
}
