export {
  allPassTrials,
  clopperPearsonLower,
  clopperPearsonUpper,
  type Interval,
  jeffreysInterval,
  type Proportion,
  passesMissing,
  passesNeeded,
  passPower,
  wilsonInterval,
} from './bounds.ts';
export { decidesByObjective, type LogEvidence, logAgainst, logFor, observe, unreadable } from './canary-judge.ts';
export {
  decide,
  EMPTY_LOOKS_MAX,
  explain,
  FALSE_ADVANCE_MAX,
  FALSE_ROLLBACK_MAX,
  type JudgeDecision,
  type JudgeExplanation,
  type JudgeReason,
  type JudgeRules,
  type JudgeVerdict,
  judge,
  SUSPICION_E,
} from './canary-verdict.ts';
export {
  type EvaluationReason,
  type EvaluationStats,
  type EvaluationVerdict,
  judgeEvaluation,
  type MoreTrials,
  type SliceStats,
} from './evaluation.ts';
export type {
  EvaluationCase,
  EvaluationControl,
  EvaluationInput,
  EvaluationObstacle,
} from './evaluation-input.ts';
export type { Forecast } from './forecast.ts';
export {
  type JudgedMetric,
  type JudgePlan,
  type JudgeState,
  type LookStanding,
  startJudge,
  type StoredState,
} from './judge-state.ts';
export { type Look, type LookRefusal, type LookRefusalCode, refuseLook } from './look.ts';
export {
  type ArmCounters,
  type CumulativeSample,
  type DroppedReason,
  type LookDifference,
  lookDifference,
} from './look-difference.ts';
export { METRIC_BOUNDS_MAX, type MetricName, type MetricPlan } from './metric-evidence.ts';
export { type ArmSamples, type Heat, HEATS_MAX } from './rank-evidence.ts';
export {
  clusteredError,
  type DiscordantPairs,
  holmAdjusted,
  mcNemarExact,
  type PairedDifference,
  pairedDifference,
} from './paired-comparison.ts';
export { populationStability, scoreClasses } from './population-stability.ts';
export type { UnitTotals } from './absolute-test.ts';
export type { RateRatioInterval } from './rate-ratio-interval.ts';
export {
  type Climb,
  climbingWeights,
  firstPercentMax,
  type HarmBudget,
  HOLD_PERCENT,
  nextWeight,
  planRamp,
  type RampEvidence,
  type RampPlan,
  WEIGHT_STEPS_MAX,
} from './ramp.ts';
