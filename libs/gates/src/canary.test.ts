import { type Look, judge, observe, startJudge } from '@proviso/judge';
import { canaryOutcome, canaryWords } from './canary.ts';

const plan = { objective: 0.01, firstRelease: false, sticky: false, rateRatioTolerated: 1, rateRatioMax: 2 };
const rules = { alpha: 0.01, beta: 0.05, dwellMet: true, deadlineReached: false, sampleStale: false };

/** One look at half the traffic with so many failing units in each arm. */
function look(canaryBad: number, stableBad: number): Look {
  return {
    canaryWeight: 0.5,
    canaryUnits: 100,
    stableUnits: 100,
    canaryRequests: 100,
    stableRequests: 100,
    canaryFirstBadUnits: canaryBad,
    stableFirstBadUnits: stableBad,
    canaryBadEvents: canaryBad,
    stableBadEvents: stableBad,
  };
}

test('says nothing final while the judge is collecting, and why', () => {
  const judged = judge(observe(startJudge(plan), look(1, 1)), rules);
  expect(canaryOutcome(judged)).toBeNull();
  expect(canaryWords(judged)).toMatch(
    /^there is not enough traffic yet to decide: new 1 of 100 failed; before 1 of 100/,
  );
});

test('fails a canary that is worse, with its numbers', () => {
  const judged = judge(observe(startJudge(plan), look(30, 0)), rules);
  const outcome = canaryOutcome(judged);
  expect(outcome).toMatchObject({ verdict: 'fail', reasons: [{ code: 'canary_worse' }] });
  expect(outcome?.reasons[0]?.message).toContain('new 30 of 100 failed; before 0 of 100 failed');
});

test('is inconclusive at the deadline', () => {
  const judged = judge(observe(startJudge(plan), look(1, 1)), { ...rules, deadlineReached: true });
  expect(canaryOutcome(judged)).toMatchObject({ verdict: 'inconclusive', reasons: [{ code: 'canary_undecided' }] });
});

test('passes a first release that keeps its promise', () => {
  let state = startJudge({ ...plan, firstRelease: true });
  const alone = {
    ...look(0, 0),
    canaryWeight: 1,
    stableUnits: 0,
    stableRequests: 0,
    canaryUnits: 1_000,
    canaryRequests: 1_000,
  };
  for (let looks = 0; looks < 5; looks += 1) state = observe(state, alone);
  expect(canaryOutcome(judge(state, rules))).toMatchObject({ verdict: 'pass', reasons: [{ code: 'canary_healthy' }] });
});

test('names the metric in which a canary is worse, with the values of each arm', () => {
  const slower = { kind: 'histogram', canary: [0, 50], stable: [50, 0] } as const;
  let state = startJudge({ ...plan, metrics: [{ metric: 'latency', portion: 0.2, bounds: [100] }] });
  for (let looks = 0; looks < 20; looks += 1) state = observe(state, { ...look(0, 0), metrics: { latency: slower } });
  const [reason] = canaryOutcome(judge(state, rules))?.reasons ?? [];
  expect(reason?.message).toMatch(/^the new version is slower than the one before \(latency\): new 0 of 2000 failed/);
  expect(reason?.message).toContain('latency of 1000 new and 1000 before (log E ');
});
