import { logAboveObjective, logBelowObjective, type UnitTotals } from './absolute-test.ts';
import { logCapital } from './capital.ts';
import {
  currentState,
  type JudgedMetric,
  type JudgeState,
  type LookStanding,
  type StoredState,
} from './judge-state.ts';
import { type LabelledCounts, logLabelEvidence, observeLabels } from './label-evidence.ts';
import { logAdd } from './log-sum.ts';
import { type Look, type LookRefusalCode, refuseLook } from './look.ts';
import { logMetricEvidence, type MetricEvidence, type MetricPlan, observeMetric } from './metric-evidence.ts';
import { addToStrata } from './rate-ratio-interval.ts';
import { observeSafety } from './safety-evidence.ts';
import { observeShare } from './share-evidence.ts';

/** ln of each part of the evidence, for the verdict's explanation. */
export type LogEvidence = {
  readonly labels: number;
  readonly shares: number;
  /** ln J: errors alone. */
  readonly errors: number;
  /** ln E of all metrics together, Σ π·E: that of errors when nothing else is judged. */
  readonly joint: number;
  readonly safety: number;
  readonly aboveObjective: number;
  readonly belowObjective: number;
};

/**
 * Takes one look; pure and total. A refused look changes nothing but `lastLook`, which keeps the verdict inconclusive
 * until a good look arrives.
 */
export function observe(stored: StoredState, look: Look): JudgeState {
  const state = currentState(stored);
  const { plan } = state;
  const refused = refuseLook(look, plan.firstRelease, plan.metrics);
  if (refused !== undefined) return unreadable(state, refused.code);
  const silent = silence(look, plan.firstRelease);
  const compares = !plan.firstRelease && silent !== 'both';
  const telling = look.canaryWeight > 0 && look.canaryWeight < 1;
  const evidence: Comparison = compares && telling ? compare(state, look, silent) : state;
  const real = look.synthetic !== true;
  const next: JudgeState = {
    version: 2,
    plan,
    looks: state.looks + 1,
    emptyLooksInRow: silent === 'none' ? 0 : state.emptyLooksInRow + 1,
    lastLook: standingOf(silent, telling || plan.firstRelease),
    canary: addUnits(state.canary, look.canaryUnits, look.canaryFirstBadUnits),
    stable: addUnits(state.stable, look.stableUnits, look.stableFirstBadUnits),
    canaryReal: real ? addUnits(state.canaryReal, look.canaryUnits, look.canaryFirstBadUnits) : state.canaryReal,
    badEvents: state.badEvents + look.canaryBadEvents + look.stableBadEvents,
    labels: evidence.labels,
    shares: evidence.shares,
    safety: evidence.safety,
    metrics: evidence.metrics,
    strata: evidence.strata,
    logEvidenceMax: state.logEvidenceMax,
    worstMetric: state.worstMetric,
  };
  const against = logAgainst(next);
  return against > state.logEvidenceMax ? { ...next, logEvidenceMax: against, worstMetric: worstMetric(next) } : next;
}

/**
 * A look that its source could not give: several series where one was expected, or numbers that are none. It is a gap,
 * and the verdict is inconclusive until a good look arrives.
 */
export function unreadable(stored: StoredState, code: LookRefusalCode): JudgeState {
  return { ...currentState(stored), lastLook: code };
}

/** ln E against the canary: Σ π·E over the metrics with a stable arm, R without one. */
export function logAgainst(state: JudgeState): number {
  if (state.plan.firstRelease) return logAboveObjective(state.canary, state.plan.objective);
  return logJoint(state);
}

/** ln of the evidence for advancing: S for a first release or while nothing bad happened in either arm, else SAFE. */
export function logFor(state: JudgeState): number {
  return decidesByObjective(state)
    ? logBelowObjective(state.canaryReal, state.plan.objective)
    : logCapital(state.safety);
}

/** Without any bad event there are no labels to compare, and only the objective can be asked. */
export function decidesByObjective(state: JudgeState): boolean {
  return state.plan.firstRelease || state.badEvents === 0;
}

/** All parts of the evidence at once. */
export function logEvidence(state: JudgeState): LogEvidence {
  return {
    labels: logLabelEvidence(state.labels),
    shares: logCapital(state.shares),
    errors: logErrors(state),
    joint: logJoint(state),
    safety: logCapital(state.safety),
    aboveObjective: logAboveObjective(state.canary, state.plan.objective),
    belowObjective: logBelowObjective(state.canaryReal, state.plan.objective),
  };
}

/** ln J, J = ½·E1 + ½·E3 (canary.md, "Errors"). */
function logErrors(state: JudgeState): number {
  return logAdd(logLabelEvidence(state.labels), logCapital(state.shares)) - Math.LN2;
}

/** ln E, E = Σ π·E over errors and what else the plan names: a mean of e-values is one (canary.md, "Several metrics"). */
function logJoint(state: JudgeState): number {
  let sum = logErrorsPart(state);
  for (let index = 0; index < state.metrics.length; index += 1) sum = logAdd(sum, logPart(state, index));
  return sum;
}

/** ln π·J: errors have what the other metrics leave. */
function logErrorsPart(state: JudgeState): number {
  const { metrics = [] } = state.plan;
  const errors = logErrors(state);
  return metrics.length === 0 ? errors : errors + Math.log(1 - metrics.reduce((sum, { portion }) => sum + portion, 0));
}

/** ln π·E of one metric beside errors. */
function logPart({ plan, metrics }: JudgeState, index: number): number {
  const planned = plan.metrics?.[index] as MetricPlan;
  return Math.log(planned.portion) + logMetricEvidence(metrics[index] as MetricEvidence);
}

/** Whose part of E is the largest. */
function worstMetric(state: JudgeState): JudgedMetric {
  let worst: JudgedMetric = 'errors';
  let largest = logErrorsPart(state);
  for (const [index, { metric }] of (state.plan.metrics ?? []).entries()) {
    const log = logPart(state, index);
    if (log > largest) [worst, largest] = [metric, log];
  }
  return worst;
}

type SilentArm = 'none' | 'both' | 'canary' | 'stable';

/** An arm that should have had traffic with probability 1 − 10⁻⁶ and had none is not counting (it may hang). */
const LOG_SILENCE = Math.log(1e-6);

/** Which arm said nothing although, at this weight and load, it must have had something to say. */
function silence(look: Look, firstRelease: boolean): SilentArm {
  // Those who were here before and came again are no new units, and may fail all the same.
  if (look.canaryRequests + look.stableRequests === 0) return 'both';
  if (firstRelease) return 'none';
  const { canaryWeight: share } = look;
  const total = look.canaryUnits + look.stableUnits;
  if (look.canaryRequests === 0 && total * Math.log1p(-share) < LOG_SILENCE) return 'canary';
  if (look.stableRequests === 0 && share > 0 && total * Math.log(share) < LOG_SILENCE) return 'stable';
  return 'none';
}

function standingOf(silent: SilentArm, informative: boolean): LookStanding {
  if (silent !== 'none') return 'empty';
  return informative ? 'counted' : 'gap';
}

/** Who came between looks, at a change of share, was counted in none of them and may fail in one: never fewer than none. */
function addUnits(totals: UnitTotals, units: number, bad: number): UnitTotals {
  return { bad: totals.bad + bad, ok: Math.max(0, totals.ok + units - bad) };
}

type Comparison = Pick<JudgeState, 'labels' | 'shares' | 'safety' | 'metrics' | 'strata'>;

/**
 * The comparison of the arms, for shares strictly between 0 and 1: at 0 or 1 the label of a bad event is certain and
 * says nothing. When an arm is silent, only the side that its silence would flatter is left out, so no bound is
 * weakened.
 */
function compare(state: JudgeState, look: Look, silent: SilentArm): Comparison {
  const { plan } = state;
  const share = look.canaryWeight;
  const { rateRatioTolerated } = plan;
  const units: LabelledCounts = { share, canary: look.canaryFirstBadUnits, stable: look.stableFirstBadUnits };
  const events: LabelledCounts = plan.sticky
    ? units
    : { share, canary: look.canaryBadEvents, stable: look.stableBadEvents };
  const condemns = silent !== 'stable';
  const advances = silent !== 'canary' && look.synthetic !== true;
  return {
    labels: condemns ? observeLabels(state.labels, units, rateRatioTolerated) : state.labels,
    shares: condemns ? observeShare(state.shares, events, rateRatioTolerated) : state.shares,
    safety: advances ? observeSafety(state.safety, units, plan.rateRatioMax) : state.safety,
    metrics: condemns ? observeMetrics(state, look) : state.metrics,
    strata: silent === 'none' ? addToStrata(state.strata, units) : state.strata,
  };
}

function observeMetrics({ plan, metrics }: JudgeState, look: Look): readonly MetricEvidence[] {
  if (plan.metrics === undefined || plan.metrics.length === 0) return metrics;
  const { canaryWeight: share } = look;
  return plan.metrics.map((each, index) => {
    if (look.waiting?.includes(each.metric)) return metrics[index] as MetricEvidence;
    const seen = { samples: look.metrics?.[each.metric], share, rateRatioTolerated: plan.rateRatioTolerated };
    return observeMetric(metrics[index] as MetricEvidence, each, seen);
  });
}
