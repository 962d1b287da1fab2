import fc from 'fast-check';
import { judgeEvaluation } from './evaluation.ts';
import type { EvaluationCase, EvaluationInput } from './evaluation-input.ts';

const CONTROLS = [
  { id: 'must-pass', expected: 'pass', observed: 'pass' },
  { id: 'must-fail', expected: 'fail', observed: 'fail' },
] as const;

/** A suite of single-run cases, the first `passes` of which pass. */
function suiteOf(passes: number, trials: number, change: Partial<EvaluationInput> = {}): EvaluationInput {
  const cases = Array.from({ length: trials }, (_, index) => ({
    id: `case-${index}`,
    passes: index < passes ? 1 : 0,
    trials: 1,
    errors: 0,
  }));
  return {
    cases,
    controls: CONTROLS,
    suite: { caseIds: cases.map((each) => each.id), trialsPerCase: 1 },
    bar: 0.9,
    confidence: 0.95,
    ...change,
  };
}

/** Replaces the first case, which passes in every suite used here. */
function withFirst(input: EvaluationInput, change: Partial<EvaluationCase>): EvaluationInput {
  return { ...input, cases: input.cases.map((each, index) => (index === 0 ? { ...each, ...change } : each)) };
}

describe('the bar decision', () => {
  test.each([
    ['pass', 'bar_met', 29, 29, 0],
    ['inconclusive', 'undecided', 28, 28, 1],
    ['inconclusive', 'undecided', 18, 20, 41],
    ['pass', 'bar_met', 188, 200, 0],
    ['inconclusive', 'undecided', 187, 200, 3],
    ['fail', 'bar_missed', 12, 20, 0],
  ] as const)('is %s (%s) for %i of %i cases', (verdict, reason, passes, trials, newCases) => {
    const result = judgeEvaluation(suiteOf(passes, trials));
    expect(result).toMatchObject({ verdict, reasons: [reason], stats: { n: trials, k: passes } });
    expect(result.moreTrials).toEqual({ newCases, rerun: [] });
  });

  test.each([
    [18, 20, 41],
    [187, 200, 3],
  ])('beside %i of %i, %i more passing cases are enough and one fewer is not', (passes, trials, more) => {
    expect(judgeEvaluation(suiteOf(passes + more, trials + more)).verdict).toBe('pass');
    expect(judgeEvaluation(suiteOf(passes + more - 1, trials + more - 1)).verdict).toBe('inconclusive');
  });

  test('counts a case as passed only when all its repeats pass', () => {
    const ids = ['a', 'b'];
    const input = suiteOf(0, 0, {
      cases: [
        { id: 'a', passes: 50, trials: 50, errors: 0 },
        { id: 'b', passes: 49, trials: 50, errors: 0 },
      ],
      suite: { caseIds: ids, trialsPerCase: 50 },
    });
    const { verdict, stats, display } = judgeEvaluation(input);
    expect(verdict).toBe('inconclusive');
    expect(stats).toMatchObject({ n: 2, k: 1 });
    expect(display.trialRate).toBeCloseTo(0.99, 12);
  });

  test('a bad slice fails the whole, and the worst slice comes first', () => {
    const input = suiteOf(95, 100, { bar: 0.85, sliceBar: 0.8 });
    const cases = input.cases.map((each, index) => ({ ...each, slice: index >= 90 ? 'refunds' : 'orders' }));
    // 5 of 10 has an upper bound of 0.777 alone and of 0.813 at the confidence shared by two slices.
    const good = judgeEvaluation({ ...input, cases });
    expect(good).toMatchObject({ verdict: 'pass', slices: [{ slice: 'refunds', k: 5, n: 10 }, { slice: 'orders' }] });
    const rare = cases.map((each, index) => ({ ...each, slice: index >= 95 ? 'refunds' : 'orders' }));
    expect(judgeEvaluation({ ...input, cases: rare })).toMatchObject({ verdict: 'fail', reasons: ['slice_missed'] });
  });
});

describe('what is never a pass', () => {
  const good = suiteOf(40, 40);
  const [mustPass, mustFail] = CONTROLS;

  test.each([
    ['zero cases', 'no_cases', suiteOf(0, 0)],
    ['an errored run', 'errored_cases', withFirst(good, { errors: 1, trials: 0, passes: 0 })],
    ['a case left out', 'missing_cases', { ...good, cases: good.cases.slice(1) }],
    ['a case nobody sealed', 'unknown_cases', withFirst(good, { id: 'easy' })],
    ['one case twice', 'duplicate_cases', { ...good, cases: [...good.cases, ...good.cases.slice(0, 1)] }],
    ['a repeat left out', 'missing_trials', withFirst(good, { trials: 0, passes: 0 })],
    ['a retry until it passed', 'extra_trials', withFirst(good, { trials: 2, passes: 2 })],
    ['more passes than runs', 'impossible_counts', withFirst(good, { passes: 2 })],
    ['a count that is NaN', 'impossible_counts', withFirst(good, { passes: Number.NaN })],
    ['no controls', 'control_missing', { ...good, controls: [] }],
    ['no must-fail case', 'control_missing', { ...good, controls: [mustPass] }],
    [
      'a must-fail case that passes',
      'control_missed',
      { ...good, controls: [mustPass, { ...mustFail, observed: 'pass' }] },
    ],
    [
      'a must-pass case that errors',
      'control_missed',
      { ...good, controls: [{ ...mustPass, observed: 'errored' }, mustFail] },
    ],
    ['a bar of NaN', 'bar_refused', { ...good, bar: Number.NaN }],
    ['a bar of 0', 'bar_refused', { ...good, bar: 0 }],
    ['no repeats asked for', 'bar_refused', { ...good, suite: { ...good.suite, trialsPerCase: 0 } }],
  ] as const)('%s (%s)', (_, reason, input) => {
    expect(judgeEvaluation(good).verdict).toBe('pass');
    const result = judgeEvaluation(input);
    expect(result.verdict).toBe('inconclusive');
    expect(result.reasons).toContain(reason);
  });

  test('names the cases to run again', () => {
    const input = withFirst({ ...good, cases: good.cases.slice(0, -1) }, { errors: 1, trials: 0, passes: 0 });
    expect(judgeEvaluation(input).moreTrials.rerun).toEqual([
      { id: 'case-0', trials: 1 },
      { id: 'case-39', trials: 1 },
    ]);
  });
});

describe('monotony of the evaluation', () => {
  test('removing evidence or adding a failure never improves a verdict to a pass', () => {
    const counts = fc.tuple(fc.nat(60), fc.nat(3), fc.nat(59), fc.constantFrom('drop', 'fail', 'control'));
    fc.assert(
      fc.property(counts, ([passes, failures, pick, change]) => {
        const input = suiteOf(passes, passes + failures);
        const worse = {
          drop: { ...input, cases: input.cases.filter((_, index) => index !== pick) },
          fail: { ...input, cases: input.cases.map((each, index) => (index === pick ? { ...each, passes: 0 } : each)) },
          control: { ...input, controls: CONTROLS.slice(pick % 2, 1 + (pick % 2)) },
        }[change];
        if (judgeEvaluation(input).verdict !== 'pass') expect(judgeEvaluation(worse).verdict).not.toBe('pass');
        const bounds = judgeEvaluation(worse).stats;
        expect(bounds.lower).toBeLessThanOrEqual(bounds.upper);
      }),
      { numRuns: 60 },
    );
  });
});
