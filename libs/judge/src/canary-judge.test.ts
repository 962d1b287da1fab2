import { readFileSync } from 'node:fs';
import { logEvidence, observe } from './canary-judge.ts';
import { judge } from './canary-verdict.ts';
import { COMPARISON, FIRST_RELEASE, firstReleaseLook, lookOf, RULES, uniform } from './fixtures/looks.ts';
import { type JudgeState, startJudge } from './judge-state.ts';
import { logAdd } from './log-sum.ts';
import type { Look } from './look.ts';

type VectorLook = {
  readonly canaryWeight: number;
  readonly canaryFirstBadUnits: number;
  readonly stableFirstBadUnits: number;
  readonly canaryBadEvents: number;
  readonly stableBadEvents: number;
  readonly logE1: number;
  readonly logE3: number;
  readonly logJ: number | null;
  readonly logSafe: number;
};
type Vectors = {
  readonly sequences: readonly { readonly trueRateRatio: number; readonly looks: readonly VectorLook[] }[];
};

const vectors: Vectors = JSON.parse(readFileSync(new URL('./fixtures/judge-vectors.json', import.meta.url), 'utf8'));

function streamLook(random: () => number, index: number): Look {
  const units = Math.floor(random() * 400);
  const canaryWeight = [0, 0.01, 0.1, 0.5, 1][Math.floor(index / 97) % 5] as number;
  const canaryUnits = Math.round(units * canaryWeight);
  const canary = Math.floor(random() * Math.min(5, canaryUnits + 1));
  const stable = Math.floor(random() * Math.min(9, units - canaryUnits + 1));
  const look = lookOf({ canaryWeight, units, canary, stable });
  if (index % 501 === 500) return { ...look, canaryUnits: Number.NaN };
  return index % 50 === 49 ? { ...look, synthetic: true } : look;
}

describe('the canary judge', () => {
  test.each(vectors.sequences)('follows the reference sequence at rate ratio $trueRateRatio', ({ looks }) => {
    let state = startJudge(COMPARISON);
    for (const { logE1, logE3, logJ, logSafe, ...vector } of looks) {
      const { canaryWeight, canaryFirstBadUnits: canary, stableFirstBadUnits: stable } = vector;
      const counts = { canaryWeight, units: 100_000, canary, stable };
      state = observe(state, {
        ...lookOf({ ...counts, canaryEvents: vector.canaryBadEvents, stableEvents: vector.stableBadEvents }),
      });
      const logs = logEvidence(state);
      expect(Math.abs(logs.labels - logE1)).toBeLessThan(1e-9);
      expect(Math.abs(logs.shares - logE3)).toBeLessThan(1e-9);
      // The reference overflowed where it says null; there the sum is taken in logs.
      expect(Math.abs(logs.joint - (logJ ?? logAdd(logE1, logE3) - Math.LN2))).toBeLessThan(1e-9);
      expect(Math.abs(logs.safety - logSafe)).toBeLessThan(1e-9);
    }
  });

  test.each([COMPARISON, { ...COMPARISON, sticky: true }])('replays bit for bit from its stored state', (plan) => {
    const random = uniform(7);
    let kept = startJudge(plan);
    let stored = JSON.stringify(startJudge(plan));
    for (let index = 0; index < 10_000; index += 1) {
      const look = streamLook(random, index);
      kept = observe(kept, look);
      stored = JSON.stringify(observe(JSON.parse(stored) as JudgeState, look));
      if (stored !== JSON.stringify(kept)) throw new Error(`expected equal states, got a difference at look ${index}`);
    }
    expect(JSON.parse(stored)).toStrictEqual(kept);
    expect(judge(JSON.parse(stored) as JudgeState, RULES)).toStrictEqual(judge(kept, RULES));
    expect(stored).not.toContain('null');
  });

  test('keeps a state of bounded size through every weight', () => {
    let state = startJudge(COMPARISON);
    for (let percent = 1; percent < 100; percent += 1) {
      state = observe(state, lookOf({ canaryWeight: percent / 100, canary: 1, stable: 1 }));
    }
    expect(JSON.stringify(state).length).toBeLessThan(2500);
  });
});

describe('what a look can say', () => {
  test('finds an outage on the first look, with and without a stable arm', () => {
    const outage = observe(startJudge(COMPARISON), lookOf({ canaryWeight: 0.1, units: 200, canary: 20 }));
    expect(judge(outage, RULES)).toMatchObject({ kind: 'rollback', reason: 'worse_than_stable' });
    const closed = observe(startJudge(FIRST_RELEASE), firstReleaseLook(20, 20));
    expect(judge(closed, RULES)).toMatchObject({ kind: 'rollback', reason: 'objective_breached' });
  });

  test('does not condemn a healthy first release at any admitted share', () => {
    let state = startJudge(FIRST_RELEASE);
    for (let index = 0; index < 30; index += 1) state = observe(state, firstReleaseLook(200, index % 2));
    expect(logEvidence(state)).toMatchObject({ labels: 0, safety: 0 });
    expect(judge(state, RULES)).toMatchObject({ kind: 'advance', reason: 'objective_met' });
  });

  test('learns nothing about the arms at weight 0 or 1', () => {
    for (const canaryWeight of [0, 1]) {
      const state = observe(startJudge(COMPARISON), lookOf({ canaryWeight, canary: 5, stable: 5 }));
      expect(logEvidence(state)).toMatchObject({ labels: 0, shares: 0, safety: 0 });
      expect(state.lastLook).not.toBe('counted');
    }
  });

  test('takes a canary that stopped counting for blindness, not for health', () => {
    let state = startJudge(COMPARISON);
    const hanging = { ...lookOf({ canaryWeight: 0.5, stable: 50 }), canaryUnits: 0, canaryRequests: 0 };
    for (let index = 0; index < 4; index += 1) state = observe(state, hanging);
    expect(logEvidence(state).safety).toBe(0);
    expect(judge(state, RULES)).toMatchObject({ kind: 'inconclusive', reason: 'blind' });
  });

  test('takes no arm for silent whose visitors were all met before: a growing share moves them to one side only', () => {
    let state = startJudge(COMPARISON);
    for (let index = 0; index < 5; index += 1)
      state = observe(state, { ...lookOf({ canaryWeight: 0.1, units: 400 }), stableUnits: 0 });
    expect(state).toMatchObject({ lastLook: 'counted', emptyLooksInRow: 0 });
  });

  test('does not blame the canary for a stable arm that stopped counting', () => {
    const state = observe(startJudge(COMPARISON), {
      ...lookOf({ canaryWeight: 0.5, canary: 50 }),
      stableUnits: 0,
      stableRequests: 0,
    });
    expect(logEvidence(state)).toMatchObject({ labels: 0, shares: 0 });
  });

  test('lets synthetic traffic condemn and never promote', () => {
    let healthy = startJudge(FIRST_RELEASE);
    for (let index = 0; index < 50; index += 1)
      healthy = observe(healthy, { ...firstReleaseLook(500, 0), synthetic: true });
    expect(judge(healthy, RULES).kind).toBe('hold');
    const broken = observe(startJudge(FIRST_RELEASE), { ...firstReleaseLook(30, 30), synthetic: true });
    expect(judge(broken, RULES).kind).toBe('rollback');
  });

  test('lets synthetic traffic say nothing about safety', () => {
    const look = { ...lookOf({ canaryWeight: 0.5, canary: 1, stable: 9 }), synthetic: true };
    expect(logEvidence(observe(startJudge(COMPARISON), look)).safety).toBe(0);
  });

  test('counts a sticky key once, however many bad events it has', () => {
    const burst = lookOf({ canaryWeight: 0.5, canary: 1, stable: 2, canaryEvents: 40, stableEvents: 2 });
    const calm = lookOf({ canaryWeight: 0.5, canary: 1, stable: 2 });
    const shares = (sticky: boolean, look: Look) =>
      logEvidence(observe(startJudge({ ...COMPARISON, sticky }), look)).shares;
    expect(shares(true, burst)).toBe(shares(true, calm));
    expect(shares(false, burst)).toBeGreaterThan(shares(false, calm));
  });

  test('refuses a plan that cannot be tested', () => {
    expect(() => startJudge({ ...COMPARISON, objective: 0 })).toThrow('expected objective strictly between 0 and 1');
    expect(() => startJudge({ ...COMPARISON, rateRatioMax: 1 })).toThrow('expected 0 < rateRatioTolerated');
  });
});
