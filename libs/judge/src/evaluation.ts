import {
  clopperPearsonLower,
  clopperPearsonUpper,
  type Interval,
  type Proportion,
  passesMissing,
  wilsonInterval,
} from './bounds.ts';
import {
  type EvaluationCase,
  type EvaluationInput,
  type EvaluationObstacle,
  evaluationObstacles,
} from './evaluation-input.ts';
import { clusteredError } from './paired-comparison.ts';

/** Why the evaluation got its verdict. */
export type EvaluationReason = 'bar_met' | 'bar_missed' | 'slice_missed' | 'undecided' | EvaluationObstacle;

/** Exact one-sided bounds, each at the stated confidence, with their numbers. */
export type EvaluationStats = {
  readonly n: number;
  readonly k: number;
  readonly lower: number;
  readonly upper: number;
  readonly confidence: number;
  readonly method: 'clopper-pearson one-sided, by case';
};

/** Numbers of one slice, for the worst-slice table. */
export type SliceStats = { readonly slice: string } & EvaluationStats;

/** What would decide an undecided evaluation. */
export type MoreTrials = {
  /**
   * New cases, each passing all its repeats, on top of this suite. Repeats of old cases cannot help: see `caseTotals`.
   */
  readonly newCases: number | 'unreachable';
  /** Cases to run again, and how many runs each of them lacks. */
  readonly rerun: readonly { readonly id: string; readonly trials: number }[];
};

/** The verdict of an evaluation, ready for the gate's normal form. */
export type EvaluationVerdict = {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  /** Most important first. */
  readonly reasons: readonly EvaluationReason[];
  readonly stats: EvaluationStats;
  /** For display: Wilson 95 % on cases, and the rate of single runs with its error clustered by case. */
  readonly display: { readonly wilson: Interval; readonly trialRate: number; readonly trialRateError: number };
  /** Worst slice first. */
  readonly slices: readonly SliceStats[];
  readonly moreTrials: MoreTrials;
};

/**
 * Decides the bar on the exact one-sided lower bound, not on the rate (gates.md, Statistics): lower ≥ bar passes, upper
 * < bar fails, anything between says how many more cases are missing. Whatever is broken or missing is inconclusive.
 */
export function judgeEvaluation(input: EvaluationInput): EvaluationVerdict {
  const obstacles = evaluationObstacles(input);
  if (obstacles.some((reason) => reason === 'bar_refused' || reason === 'impossible_counts')) {
    return uncountable(input, obstacles);
  }
  const stats = boundsOf(input.cases, input.confidence);
  const slices = slicesOf(input);
  const { verdict, reasons } = obstacles.length > 0 ? inconclusive(obstacles) : weigh(input, stats, slices);
  const trials = input.cases.reduce((sum, each) => sum + each.trials, 0);
  const passes = input.cases.reduce((sum, each) => sum + each.passes, 0);
  return {
    verdict,
    reasons,
    stats,
    display: {
      wilson: wilsonInterval({ passes: stats.k, trials: stats.n }),
      trialRate: trials > 0 ? passes / trials : 0,
      trialRateError: clusteredError(input.cases),
    },
    slices,
    moreTrials: {
      newCases: verdict === 'inconclusive' ? newCasesNeeded(input, stats) : 0,
      rerun: missingRuns(input),
    },
  };
}

type Decision = Pick<EvaluationVerdict, 'verdict' | 'reasons'>;

function weigh(input: EvaluationInput, stats: EvaluationStats, slices: readonly SliceStats[]): Decision {
  if (stats.upper < input.bar) return { verdict: 'fail', reasons: ['bar_missed'] };
  const { sliceBar } = input;
  if (sliceBar !== undefined && slices.some((slice) => slice.upper < sliceBar)) {
    return { verdict: 'fail', reasons: ['slice_missed'] };
  }
  if (stats.lower >= input.bar) return { verdict: 'pass', reasons: ['bar_met'] };
  return { verdict: 'inconclusive', reasons: ['undecided'] };
}

function inconclusive(reasons: readonly EvaluationReason[]): Decision {
  return { verdict: 'inconclusive', reasons };
}

/**
 * Cases are counted, not runs, and a case passes when every repeat passed (pass^k): repeats of one case hang together,
 * so ten runs of two questions tell about two questions, and counting runs would make the bound several times too
 * narrow.
 */
function caseTotals(cases: readonly EvaluationCase[]): Proportion {
  return {
    passes: cases.filter((each) => each.trials > 0 && each.passes === each.trials).length,
    trials: cases.length,
  };
}

function boundsOf(cases: readonly EvaluationCase[], confidence: number): EvaluationStats {
  const proportion = caseTotals(cases);
  return {
    n: proportion.trials,
    k: proportion.passes,
    lower: clopperPearsonLower(proportion, confidence),
    upper: clopperPearsonUpper(proportion, confidence),
    confidence,
    method: 'clopper-pearson one-sided, by case',
  };
}

/** Bounds for each slice, at a confidence shared out over the slices (Bonferroni), since the worst one is picked. */
function slicesOf({ cases, confidence }: EvaluationInput): readonly SliceStats[] {
  const bySlice = Map.groupBy(cases, (each) => each.slice);
  bySlice.delete(undefined);
  const shared = 1 - (1 - confidence) / Math.max(1, bySlice.size);
  return [...bySlice]
    .map(([slice, members]) => ({ slice: slice ?? '', ...boundsOf(members, shared) }))
    .sort((a, b) => a.k / a.n - b.k / b.n || a.lower - b.lower || (a.slice < b.slice ? -1 : 1));
}

/** Asked only while undecided: a pass needs no more, and after a fail more cases would be a second try. */
function newCasesNeeded({ bar, confidence }: EvaluationInput, { k, n }: EvaluationStats): number | 'unreachable' {
  return passesMissing({ passes: k, trials: n }, bar, confidence);
}

function missingRuns({ cases, suite }: EvaluationInput): MoreTrials['rerun'] {
  const trialsById = new Map(cases.map((each) => [each.id, each.trials]));
  return suite.caseIds
    .map((id) => ({ id, trials: Math.max(0, suite.trialsPerCase - (trialsById.get(id) ?? 0)) }))
    .filter((each) => each.trials > 0);
}

/** Nothing can be computed from impossible numbers, so the bounds say "anything between 0 and 1". */
function uncountable(input: EvaluationInput, reasons: readonly EvaluationReason[]): EvaluationVerdict {
  const { confidence } = input;
  return {
    verdict: 'inconclusive',
    reasons,
    stats: { n: 0, k: 0, lower: 0, upper: 1, confidence, method: 'clopper-pearson one-sided, by case' },
    display: { wilson: { lower: 0, upper: 1 }, trialRate: 0, trialRateError: 0 },
    slices: [],
    moreTrials: { newCases: 'unreachable', rerun: [] },
  };
}
