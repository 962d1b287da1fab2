/** One case of the suite with its repeats: how many ran, how many passed, how many broke without a judgement. */
export type EvaluationCase = {
  readonly id: string;
  readonly passes: number;
  /** Judged runs, passed or failed. */
  readonly trials: number;
  /** Runs that broke; an errored run is neither a pass nor a fail. */
  readonly errors: number;
  readonly slice?: string;
};

/** A case planted to prove that the suite can say both yes and no. */
export type EvaluationControl = {
  readonly id: string;
  readonly expected: 'pass' | 'fail';
  readonly observed: 'pass' | 'fail' | 'errored';
};

/** Evidence of one evaluation with the bar that was sealed before it. */
export type EvaluationInput = {
  readonly cases: readonly EvaluationCase[];
  readonly controls: readonly EvaluationControl[];
  /** The sealed suite. Without it, leaving out a failing case would improve the verdict. */
  readonly suite: { readonly caseIds: readonly string[]; readonly trialsPerCase: number };
  /** Share of cases that must pass, strictly between 0 and 1. */
  readonly bar: number;
  /** One-sided confidence of the decision, 0.95 by default in policies. */
  readonly confidence: number;
  /** Bar for each slice. A slice is small, so it can only fail the verdict, never carry it. */
  readonly sliceBar?: number;
};

/** Why no decision is possible, before any statistics. */
export type EvaluationObstacle =
  | 'no_cases'
  | 'errored_cases'
  | 'missing_cases'
  | 'unknown_cases'
  | 'duplicate_cases'
  | 'missing_trials'
  | 'extra_trials'
  | 'impossible_counts'
  | 'control_missing'
  | 'control_missed'
  | 'bar_refused';

/**
 * Everything that forbids a decision, in the order a person should mend it. Each of these could otherwise turn into a
 * pass: an empty report, a broken run, a failing case left out, a case repeated until it passed, a suite that cannot
 * fail.
 */
export function evaluationObstacles(input: EvaluationInput): readonly EvaluationObstacle[] {
  const checks: readonly [EvaluationObstacle, boolean][] = [
    ['bar_refused', barRefused(input)],
    ['impossible_counts', input.cases.some(impossible)],
    ['no_cases', input.cases.length === 0],
    ['control_missing', controlMissing(input.controls)],
    ['control_missed', input.controls.some((control) => control.observed !== control.expected)],
    ['errored_cases', input.cases.some((each) => each.errors > 0)],
    ...suiteObstacles(input),
  ];
  return checks.filter(([, holds]) => holds).map(([reason]) => reason);
}

/** Differences between what was sealed and what came; both directions are refused, since both can flatter. */
function suiteObstacles({ cases, suite }: EvaluationInput): readonly [EvaluationObstacle, boolean][] {
  const expected = new Set(suite.caseIds);
  const got = new Set(cases.map((each) => each.id));
  return [
    ['duplicate_cases', got.size < cases.length || expected.size < suite.caseIds.length],
    ['missing_cases', [...expected].some((id) => !got.has(id))],
    ['unknown_cases', [...got].some((id) => !expected.has(id))],
    ['missing_trials', cases.some((each) => each.trials < suite.trialsPerCase)],
    ['extra_trials', cases.some((each) => each.trials + each.errors > suite.trialsPerCase)],
  ];
}

/** A suite that was never seen to say no, or yes, has no say. */
function controlMissing(controls: readonly EvaluationControl[]): boolean {
  return !(['pass', 'fail'] as const).every((expected) => controls.some((control) => control.expected === expected));
}

function barRefused({ bar, confidence, sliceBar, suite }: EvaluationInput): boolean {
  const shares = [bar, confidence, ...(sliceBar === undefined ? [] : [sliceBar])];
  const sharesHold = shares.every((share) => share > 0 && share < 1);
  return !sharesHold || !Number.isSafeInteger(suite.trialsPerCase) || suite.trialsPerCase < 1;
}

function impossible({ passes, trials, errors }: EvaluationCase): boolean {
  return ![passes, trials, errors].every((count) => Number.isSafeInteger(count) && count >= 0) || passes > trials;
}
