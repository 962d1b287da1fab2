import { observe, unreadable } from './canary-judge.ts';
import { type JudgeRules, judge } from './canary-verdict.ts';
import { COMPARISON, lookOf, RULES, uniform } from './fixtures/looks.ts';
import { type JudgePlan, type JudgeState, startJudge } from './judge-state.ts';
import type { Look } from './look.ts';
import type { MetricPlan } from './metric-evidence.ts';
import type { ArmSamples, Heat } from './rank-evidence.ts';

const latency: MetricPlan = { metric: 'latency', portion: 0.3, bounds: [10, 25, 50, 100, 250] };
const score: MetricPlan = { metric: 'score', portion: 0.1, bounds: [] };
const cost: MetricPlan = { metric: 'cost', portion: 0.1, bounds: [] };
const plan: JudgePlan = { ...COMPARISON, metrics: [latency, score, cost] };

/** Values around a middle, each request to the canary by the share. */
function look(random: () => number, { slower = 1, worse = 0 }: { slower?: number; worse?: number } = {}): Look {
  const arms = { canary: [] as number[], stable: [] as number[] };
  for (let request = 0; request < 60; request += 1) {
    const isCanary = random() < 0.2;
    (isCanary ? arms.canary : arms.stable).push(20 * (isCanary ? slower : 1) * Math.exp(random() + random()));
  }
  const scores = { canary: [0.7 - worse, 0.8 - worse], stable: [0.7, 0.75, 0.8] };
  const same = { kind: 'values', canary: [1, 2], stable: [1, 2] } as const;
  return {
    ...lookOf({ canaryWeight: 0.2, units: 60 }),
    metrics: { latency: { kind: 'values', ...arms }, score: { kind: 'values', ...scores }, cost: same },
  };
}

function after(
  looks: number,
  change: Parameters<typeof look>[1] = {},
  from: JudgeState = startJudge(plan),
): JudgeState {
  const random = uniform(3);
  let state = from;
  for (let each = 0; each < looks; each += 1) state = observe(state, look(random, change));
  return state;
}

const waiting: JudgeRules = { ...RULES, dwellMet: false };

describe('values in heats', () => {
  const counts = { kind: 'histogram', canary: [0, 0, 4, 0, 0, 0], stable: [0, 0, 16, 0, 0, 0] } as const;
  const often = (heat: Heat): readonly Heat[] => new Array<Heat>(20).fill(heat);
  const logOf = (samples: ArmSamples, metric: 'latency' | 'score' = 'latency'): number => {
    const seen = { ...lookOf({ canaryWeight: 0.2, units: 60 }), metrics: { [metric]: samples } };
    const { metrics } = judge(observe(startJudge(plan), seen), waiting).explanation;
    return metrics.find((each) => each.metric === metric)?.logEvidence ?? Number.NaN;
  };

  test('speak for themselves, where buckets tell nothing', () => {
    expect(logOf(counts)).toBeCloseTo(0, 12);
    expect(logOf({ ...counts, heats: often([4, 16, 100]) })).toBeGreaterThan(1);
    expect(logOf({ ...counts, heats: often([4, 16, 64]) })).toBeCloseTo(0, 12);
    expect(
      logOf({
        ...counts,
        heats: [
          [4, 0, 0],
          [0, 0, 0],
        ],
      }),
    ).toBeCloseTo(0, 12);
  });

  test('of scores speak against a canary that is lower', () => {
    expect(logOf({ ...counts, heats: often([4, 16, 28]) }, 'score')).toBeGreaterThan(1);
  });

  test.each([
    ['more pairs than there are', [[4, 16, 129]]],
    ['parts of pairs', [[4, 16, 0.5]]],
    ['fewer than none', [[4, 16, -1]]],
    ['more heats than one look may hold', new Array<Heat>(513).fill([1, 1, 1])],
  ] as const)('with %s make no evidence', (_, heats) => {
    const seen = { ...lookOf({ canaryWeight: 0.2, units: 60 }), metrics: { latency: { ...counts, heats } } };
    expect(observe(startJudge(plan), seen).lastLook).toBe('impossible_samples');
  });
});

describe('several metrics in one judge', () => {
  test('condemn a canary that is slower and makes no mistakes', () => {
    const verdict = judge(after(60, { slower: 1.5 }), waiting);
    expect(verdict).toMatchObject({ kind: 'rollback', reason: 'worse_by_metric', explanation: { worst: 'latency' } });
    const [slow, scored] = verdict.explanation.metrics;
    expect(slow?.logEvidence).toBeGreaterThan(Math.log(100 / latency.portion));
    expect(scored?.logEvidence).toBeLessThan(1);
  });

  test('condemn a canary whose answers score lower, and none whose answers score higher', () => {
    expect(judge(after(40, { worse: 0.3 }), waiting)).toMatchObject({ kind: 'rollback', reason: 'worse_by_metric' });
    expect(judge(after(40, { worse: -0.3 }), waiting).kind).toBe('hold');
  });

  test('leave a canary alone that answers alike', () => {
    expect(judge(after(400), waiting).kind).toBe('hold');
  });

  test('weigh each by its portion, errors by the rest', () => {
    const { explanation } = judge(after(30, { slower: 1.2 }), waiting);
    const parts = explanation.metrics.map(({ portion, logEvidence }) => portion * Math.exp(logEvidence));
    const errors = 0.5 * Math.exp(explanation.logEvidence.errors);
    const sum = parts.reduce((total, part) => total + part, errors);
    expect(explanation.logEvidence.joint).toBeCloseTo(Math.log(sum), 10);
  });

  test('say how many samples each arm had', () => {
    const { metrics } = judge(after(10), waiting).explanation;
    expect(metrics.map(({ metric, samples }) => [metric, samples.canary + samples.stable])).toEqual([
      ['latency', 600],
      ['score', 50],
      ['cost', 40],
    ]);
  });

  test('say the same from stored memory, bit for bit', () => {
    const random = uniform(5);
    let kept = startJudge(plan);
    let stored = JSON.stringify(kept);
    for (let each = 0; each < 3_000; each += 1) {
      const next = look(random, { slower: each % 300 < 30 ? 3 : 0.9 });
      kept = observe(kept, next);
      stored = JSON.stringify(observe(JSON.parse(stored) as JudgeState, next));
    }
    expect(stored).toBe(JSON.stringify(kept));
    expect(stored.length).toBeLessThan(6_000);
  });
});

describe('a metric that does not come', () => {
  const silent = (looks: number): JudgeState => {
    const random = uniform(3);
    let state = after(30);
    for (let each = 0; each < looks; each += 1) state = observe(state, { ...look(random), metrics: {} });
    return state;
  };

  test('is a gap, and after four looks nobody calls the canary healthy', () => {
    const evidence = (state: JudgeState) => judge(state, RULES).explanation.metrics.map((each) => each.logEvidence);
    expect(evidence(silent(3))).toEqual(evidence(after(30)));
    expect(judge(silent(3), RULES).kind).toBe('advance');
    expect(judge(silent(4), RULES)).toMatchObject({ kind: 'inconclusive', reason: 'metric_silent' });
    expect(judge(after(1, {}, silent(4)), RULES).kind).toBe('advance');
  });

  test('is not missed while its source has collected nothing newer', () => {
    const names = ['latency', 'score', 'cost'] as const;
    let state = after(30);
    for (let each = 0; each < 9; each += 1)
      state = observe(state, { ...look(uniform(1)), metrics: {}, waiting: names });
    expect(judge(state, RULES).kind).toBe('advance');
    expect(state.metrics).toEqual(after(30).metrics);
  });

  test.each([
    ['values that are none', { kind: 'values', canary: [Number.NaN], stable: [1] }],
    ['buckets that are not its own', { kind: 'histogram', canary: [1, 2], stable: [1, 2] }],
    ['parts of counts', { kind: 'histogram', canary: [0.5, 0, 0, 0, 0, 0], stable: [1, 0, 0, 0, 0, 0] }],
  ] as const)('with %s makes no evidence', (_, samples) => {
    const state = observe(after(30), { ...look(uniform(1)), metrics: { latency: samples } });
    expect(state.lastLook).toBe('impossible_samples');
    expect(judge(state, RULES)).toMatchObject({ kind: 'inconclusive', reason: 'look_refused' });
  });

  test('or comes as several series makes no evidence until a good look', () => {
    const state = unreadable(after(30), 'several_series');
    expect(judge(state, RULES)).toMatchObject({ kind: 'inconclusive', reason: 'look_refused' });
    expect(judge(after(1, {}, state), RULES).kind).toBe('advance');
  });

  test('is not missed when the plan does not name it', () => {
    const metrics = { cost: { kind: 'values', canary: [Number.NaN], stable: [] } } as const;
    expect(observe(startJudge(COMPARISON), { ...look(uniform(1)), metrics }).lastLook).toBe('counted');
  });
});

test.each([
  ['each metric once', [score, score]],
  ['portions above 0', [{ ...score, portion: 0 }]],
  [
    'portions above 0',
    [
      { ...latency, portion: 0.6 },
      { ...score, portion: 0.4 },
    ],
  ],
  ['rising bounds', [{ ...latency, bounds: [10, 10] }]],
  ['at most 16 rising bounds', [{ ...latency, bounds: Array.from({ length: 17 }, (_, index) => index + 1) }]],
  ['no bounds of score', [{ ...score, bounds: [0.5] }]],
] as const)('a plan of metrics must have %s', (expected, metrics) => {
  expect(() => startJudge({ ...COMPARISON, metrics })).toThrow(expected);
});
