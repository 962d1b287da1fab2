import type { UnitTotals } from './absolute-test.ts';
import { decidesByObjective, type LogEvidence, logAgainst, logEvidence, logFor } from './canary-judge.ts';
import { type Forecast, forecast } from './forecast.ts';
import {
  currentState,
  type JudgedMetric,
  type JudgeState,
  type LookStanding,
  type StoredState,
} from './judge-state.ts';
import { logMetricEvidence, type MetricEvidence, type MetricName } from './metric-evidence.ts';
import { type RateRatioInterval, rateRatioInterval } from './rate-ratio-interval.ts';

/** α: the chance, over all looks together, that a canary no worse than stable is rolled back. */
export const FALSE_ROLLBACK_MAX = 0.01;

/** β: the chance, over all looks together, that a canary at ρmax or worse is advanced. */
export const FALSE_ADVANCE_MAX = 0.05;

/** Advancing needs E below this: a canary under suspicion waits even when SAFE is large enough. */
export const SUSPICION_E = 2;

/** A judge that saw nothing four times in a row is blind; one empty look alone is ordinary at night. */
export const EMPTY_LOOKS_MAX = 4;

/** Coverage error of the interval for ρ that a person is shown. */
const INTERVAL_ERROR = 0.05;

/** What the caller knows beside the looks. Time is the caller's: the judge reads no clock. */
export type JudgeRules = {
  readonly alpha: number;
  readonly beta: number;
  /** The policy's dwell at the present weight has passed. */
  readonly dwellMet: boolean;
  /** The canary's deadline has passed: without a verdict by now, a person is asked. */
  readonly deadlineReached: boolean;
  /** The latest sample is older than the policy allows. */
  readonly sampleStale: boolean;
};

/** Why the judge says what it says. */
export type JudgeReason =
  | 'worse_than_stable'
  | 'worse_by_metric'
  | 'objective_breached'
  | 'safe_against_stable'
  | 'objective_met'
  | 'collecting'
  | 'dwell_unmet'
  | 'suspicious'
  | 'look_refused'
  | 'stale_sample'
  | 'blind'
  | 'metric_silent'
  | 'deadline_reached'
  | 'rules_refused'
  | 'state_damaged';

/** The judge's answer without its explanation; for a first release, rollback means *closed*. */
export type JudgeDecision = {
  readonly kind: 'rollback' | 'advance' | 'hold' | 'inconclusive';
  readonly reason: JudgeReason;
};

/** What a person is shown with each verdict, always in full. */
export type JudgeExplanation = {
  readonly logEvidence: LogEvidence;
  /** Whose evidence was the largest part of the largest E so far: what condemned, if anything did. */
  readonly worst: JudgedMetric;
  /** What is judged beside errors, with ln of its own evidence before it is weighed, and its samples. */
  readonly metrics: readonly {
    readonly metric: MetricName;
    readonly portion: number;
    readonly logEvidence: number;
    readonly samples: { readonly canary: number; readonly stable: number };
  }[];
  /** min(1, 1/max E): a p-value that may be looked at after any look (Ville's inequality); E begins at 1. */
  readonly anytimeP: number;
  /** Null in a first release, where there is no arm to compare with. */
  readonly rateRatioInterval: RateRatioInterval | null;
  readonly samples: { readonly canary: UnitTotals; readonly stable: UnitTotals };
  readonly looks: number;
  readonly emptyLooksInRow: number;
  readonly lastLook: LookStanding;
  readonly needed: Forecast;
};

/** The answer of the judge with its explanation. */
export type JudgeVerdict = JudgeDecision & { readonly explanation: JudgeExplanation };

/**
 * The verdict after the looks so far. Pure: the same state and rules give the same verdict, in replay as on the day.
 */
export function judge(stored: StoredState, rules: JudgeRules): JudgeVerdict {
  const state = currentState(stored);
  return { ...decide(state, rules), explanation: explain(state, rules) };
}

/**
 * The decision alone (canary.md, Rules). Condemning comes first and holds for ever; whatever makes the judge unsure
 * comes before advancing, so that missing or broken evidence never promotes.
 */
export function decide(stored: StoredState, rules: JudgeRules): JudgeDecision {
  const state = currentState(stored);
  if (!isProbability(rules.alpha) || !isProbability(rules.beta)) return answer('inconclusive', 'rules_refused');
  const against = logAgainst(state);
  const logSafe = logFor(state);
  if (state.logEvidenceMax >= -Math.log(rules.alpha)) {
    return answer('rollback', condemnation(state));
  }
  if (!Number.isFinite(against) || !Number.isFinite(logSafe) || !Number.isFinite(state.logEvidenceMax)) {
    return answer('inconclusive', 'state_damaged');
  }
  if (lookRefused(state.lastLook)) return answer('inconclusive', 'look_refused');
  if (rules.sampleStale) return answer('inconclusive', 'stale_sample');
  if (isMetricSilent(state)) return answer('inconclusive', 'metric_silent');
  if (state.emptyLooksInRow >= EMPTY_LOOKS_MAX) return answer('inconclusive', 'blind');
  const enough = logSafe >= -Math.log(rules.beta) && isHeard(state);
  const suspicious = against >= Math.log(SUSPICION_E);
  if (enough && !suspicious && rules.dwellMet) {
    return answer('advance', decidesByObjective(state) ? 'objective_met' : 'safe_against_stable');
  }
  if (rules.deadlineReached) return answer('inconclusive', 'deadline_reached');
  if (suspicious) return answer('hold', 'suspicious');
  return answer('hold', enough ? 'dwell_unmet' : 'collecting');
}

/** The explanation of a state, whatever its verdict. */
export function explain(stored: StoredState, rules: JudgeRules): JudgeExplanation {
  const state = currentState(stored);
  return {
    logEvidence: logEvidence(state),
    worst: state.worstMetric,
    metrics: (state.plan.metrics ?? []).map(({ metric, portion }, index) => {
      const evidence = state.metrics[index] as MetricEvidence;
      return { metric, portion, logEvidence: logMetricEvidence(evidence), samples: evidence.samples };
    }),
    anytimeP: Math.exp(-state.logEvidenceMax),
    rateRatioInterval: state.plan.firstRelease ? null : rateRatioInterval(state.strata, INTERVAL_ERROR),
    samples: { canary: state.canary, stable: state.stable },
    looks: state.looks,
    emptyLooksInRow: state.emptyLooksInRow,
    lastLook: state.lastLook,
    needed: forecast(state, rules.beta),
  };
}

function condemnation({ plan, worstMetric }: JudgeState): JudgeReason {
  if (plan.firstRelease) return 'objective_breached';
  return worstMetric === 'errors' ? 'worse_than_stable' : 'worse_by_metric';
}

/** Visitors came and a metric that the policy asks for did not: what was not seen cannot be called healthy. */
function isMetricSilent({ metrics }: JudgeState): boolean {
  return metrics.some(({ missingLooksInRow }) => missingLooksInRow >= EMPTY_LOOKS_MAX);
}

/** What was never seen cannot be called healthy either: each metric that is asked for has had values of both arms. */
function isHeard({ plan, metrics }: JudgeState): boolean {
  return plan.firstRelease || metrics.every(({ samples }) => samples.canary > 0 && samples.stable > 0);
}

function lookRefused(standing: LookStanding): boolean {
  switch (standing) {
    case 'none':
    case 'counted':
    case 'empty':
    case 'gap':
      return false;
    default:
      return true;
  }
}

function isProbability(value: number): boolean {
  return value > 0 && value < 1;
}

function answer(kind: JudgeDecision['kind'], reason: JudgeReason): JudgeDecision {
  return { kind, reason };
}
