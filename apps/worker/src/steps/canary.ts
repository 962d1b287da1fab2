import {
  type CanaryRule,
  type Contract,
  artifactOf,
  gateIn,
  invariant,
  paceOf,
  pinnedRule,
  releaseIdOf,
} from '@proviso/domain';
import { canaryOutcome } from '@proviso/gates';
import type { JudgePlan, JudgeVerdict } from '@proviso/judge';
import { TargetFailure } from '@proviso/targets';
import { type Course, type Move, beginCourse, nextMove, sees, takeCounts, turnCourse } from '../canary/course.ts';
import { lastLook } from '../canary/look-row.ts';
import { metricPlans } from '../canary/metric-plan.ts';
import { type MetricSources, readMetrics } from '../canary/metric-readings.ts';
import { metricSources } from '../canary/prometheus-metrics.ts';
import { type Judged, type Teller, openTeller } from '../canary/teller.ts';
import { contractOf } from '../candidate-folder.ts';
import { readJournal } from '../clerk.ts';
import { storeDocument } from '../document.ts';
import type { Errand } from '../errand.ts';
import { awaitRelease, reasonOf, startBoundsOf } from '../release-start.ts';
import { type Acted, refusing, reportOf } from '../step-outcome.ts';

/** One activity looks for at most this long and is then begun anew, so that no history and no activity grows old. */
const lapMsMax = 5 * 60_000;
/** How many looks at a share that is not served pass before the edge is asked whether it has given the canary up. */
const looksPerGlance = 4;

/** Everything a lap needs that does not change during it. */
interface Lap {
  readonly errand: Errand;
  readonly rule: CanaryRule;
  readonly contract: Contract;
  readonly teller: Teller;
  readonly sources: MetricSources;
  readonly deadline: number;
}

/**
 * Looks at the canary until it is proven or condemned, or this lap is over. Every change of the share is a look that the
 * journal decides; when nobody can look, nobody renews the lease, and the edge takes the share back by itself.
 */
export async function canary(errand: Errand): Promise<Acted> {
  const { ports, state, signal } = errand;
  const found = await contractOf(ports, state.candidate.manifest.artifact);
  if (!found.ok) return refusing('fail', ...found.reasons);
  const rule = pinnedRule(state.policy, 'canary');
  const { number, course: stored } = await readJournal(ports, errand.subject, async (reads) =>
    lastLook(await reads.looks(state.id, 1)),
  );
  const at = { weight: weightOf(errand), laneFence: errand.grant.laneFence ?? 0 };
  const course = turnCourse(stored ?? beginCourse(planOf(errand, rule, found.contract), at), at);
  const deadline = gateIn(state, 'canary').since + rule.deadlineMs;
  const teller = openTeller(errand, number, paceOf(state));
  const sources = await metricSources(errand, rule);
  const lap: Lap = { errand, rule, contract: found.contract, teller, sources, deadline };
  if (course.weight > 0) return await look(lap, course);
  const bounds = startBoundsOf(found.contract);
  const awaited = { lane: state.lanes.production, laneFence: at.laneFence, release: releaseIdOf(state.id), ...bounds };
  const artifact = artifactOf(state);
  const started = await awaitRelease({ ...ports, signal }, { ...awaited, artifact });
  if (started.kind === 'not') return started.acted;
  const first = rule.weights[0];
  invariant(first !== undefined, 'expected a canary with weights');
  const askedAt = ports.clock.now();
  const { judged } = nextMove(course, rule, { now: askedAt, deadline, stale: false });
  const opened = await lap.teller.weigh({ course, judged, askedAt }, first);
  return opened === null ? { kind: 'ask' } : await look(lap, opened);
}

function weightOf({ view }: Errand): number {
  invariant(view.production !== null, 'expected the production lane of an open promotion');
  return view.production.state.weight;
}

function planOf({ view }: Errand, rule: CanaryRule, contract: Contract): JudgePlan {
  const firstRelease = view.production?.state.stable == null;
  return {
    objective: contract.objective.errorRateMax,
    firstRelease,
    // A first release has nothing to be slower than.
    ...(rule.metrics !== undefined && !firstRelease && { metrics: metricPlans(rule.metrics) }),
    // The edge keeps a visitor on one side by a cookie, so a visitor's events hang together.
    sticky: true,
    rateRatioTolerated: 1,
    rateRatioMax: rule.rateRatioMax,
  };
}

async function look(lap: Lap, begun: Course): Promise<Acted> {
  const { errand, rule, deadline } = lap;
  const { clock } = errand.ports;
  const lapEnds = clock.now() + lapMsMax;
  let course = begun;
  for (let looks = 1; ; looks += 1) {
    await clock.pause(rule.lookMs, errand.signal);
    const askedAt = clock.now();
    const seen = await glance(lap, course);
    if (seen === 'overtaken') return { kind: 'ask' };
    course = seen ?? course;
    errand.ports.fault('inside_look');
    const served = seen !== null && seen.sample?.weight === seen.weight;
    const told = { now: clock.now(), deadline, stale: !served, pace: lap.teller.pace() };
    const { move, judged } = nextMove(course, rule, told);
    const fresh = seen !== null && sees(seen);
    if (!served && looks % looksPerGlance === 0) {
      const gone = await goneReason(lap);
      if (gone !== null) return await condemn(lap, { course, judged, askedAt }, [gone]);
    }
    const lapOver = clock.now() >= lapEnds;
    const next = await follow(lap, { course, judged, askedAt, move, fresh, lapOver });
    if ('kind' in next) return next;
    course = next;
    if (lapOver) return { kind: 'ask' };
  }
}

/**
 * The course after the edge's counts; null when there are none to be had, and then nothing is fresh; overtaken when the
 * edge serves a newer decision than ours, such as a person's rollback.
 */
async function glance({ errand, sources }: Lap, course: Course): Promise<Course | 'overtaken' | null> {
  const { ports, state, view } = errand;
  const lane = state.lanes.production;
  try {
    const counts = await ports.edge.counts(lane);
    if (counts.fence.counter > course.laneFence) return 'overtaken';
    if (counts.fence.counter < course.laneFence) return null;
    const now = ports.clock.now();
    const releases = { canary: releaseIdOf(state.id), stable: view.production?.state.stable?.id ?? '' };
    const { metrics: plans = [] } = course.judge.plan;
    const readings = await readMetrics(sources, plans, { promotion: state.id, lane, ...releases, counts, now });
    const next = takeCounts(course, counts, { now, readings });
    if (String(next.gaps) !== String(course.gaps ?? []))
      ports.log.warn({ promotion: state.id, gaps: next.gaps }, 'canary.gaps');
    return next;
  } catch (error) {
    if (error instanceof TargetFailure) return null;
    throw error;
  }
}

interface Step extends Judged {
  readonly move: Move;
  readonly fresh: boolean;
  readonly lapOver: boolean;
}

async function follow(lap: Lap, step: Step): Promise<Course | Acted> {
  const { course, move, fresh, lapOver } = step;
  switch (move.kind) {
    case 'hold':
      return (await lap.teller.hold(step, { fresh, urgent: lapOver })) ? course : { kind: 'ask' };
    case 'weigh':
      return (await lap.teller.weigh(step, move.percent)) ?? { kind: 'ask' };
    case 'condemn':
      return await condemn(lap, step, canaryOutcome(step.judged)?.reasons ?? []);
    case 'settle':
    case 'give_up':
      return await conclude(lap, step);
  }
}

/** The evidence of a whole canary in one document, and the verdict on it. */
async function conclude({ errand, rule, teller }: Lap, step: Step): Promise<Acted> {
  const { ports } = errand;
  const { course, judged, move } = step;
  const outcome = canaryOutcome(judged);
  invariant(outcome !== null && (outcome.verdict === 'pass') === (move.kind === 'settle'), 'a verdict fits its move');
  if (!(await teller.last(step, move))) return { kind: 'ask' };
  const digest = await storeDocument(
    ports.evidence,
    documentOf(errand, { kind: 'canary_report', rule, course, judged }),
  );
  // Whoever is asked at the deadline can mend what the judge did not see.
  const gaps = move.kind === 'give_up' ? (course.gaps ?? []) : [];
  const reasons = outcome.reasons.map((reason) => ({ ...reason, message: [reason.message, ...gaps].join('; ') }));
  return reportOf({ ...outcome, reasons, evidence: [{ kind: 'canary_report', digest }], controls: [] });
}

/** What condemned the canary is durable before the journal hears of it; the weight is 0 in the transaction that does. */
async function condemn(
  { errand, rule, teller }: Lap,
  look: Judged,
  reasons: readonly { readonly code: string; readonly message: string }[],
): Promise<Acted> {
  const { ports } = errand;
  const document = documentOf(errand, { kind: 'canary_snapshot', rule, ...look });
  const snapshot = await storeDocument(ports.evidence, { ...document, reasons });
  await teller.condemn(look, { snapshot, reasons });
  ports.fault('during_rollback');
  return { kind: 'ask' };
}

function documentOf(
  { ports, state, grant }: Errand,
  canary: { readonly kind: string; readonly rule: CanaryRule; readonly course: Course; readonly judged: JudgeVerdict },
): object {
  const { kind, rule, course, judged } = canary;
  const subject = { promotion: state.id, artifact: artifactOf(state), attempt: grant.attempt };
  return { kind, v: 1, at: ports.clock.now(), ...subject, rule, verdict: judged, course };
}

/** A canary that the edge has given up on gets no more traffic, so no count would ever condemn it. */
async function goneReason({ errand, contract }: Lap): Promise<{ code: string; message: string } | null> {
  const { ports, state } = errand;
  const report = await ports.edge.observe(state.lanes.production).catch(() => null);
  const release = report?.releases.find((each) => each.release === releaseIdOf(state.id));
  return release?.final === true ? reasonOf(release, startBoundsOf(contract)) : null;
}
