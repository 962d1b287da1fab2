import { readFileSync } from 'node:fs';
import { observe } from './canary-judge.ts';
import { decide, judge } from './canary-verdict.ts';
import { COMPARISON, lookOf, RULES } from './fixtures/looks.ts';
import { currentState, type FirstJudgeState, type JudgeState, startJudge, type StoredState } from './judge-state.ts';
import type { Look } from './look.ts';

type FirstVersion = {
  readonly stored: FirstJudgeState;
  readonly later: readonly Look[];
  readonly said: readonly { readonly logEvidence: Record<string, number>; readonly anytimeP: number }[];
};
const first: FirstVersion = JSON.parse(readFileSync(new URL('./fixtures/judge-state-1.json', import.meta.url), 'utf8'));

describe('the memory of the first version', () => {
  test('goes on with all its evidence', () => {
    let state: StoredState = first.stored;
    for (const [index, look] of first.later.entries()) {
      state = observe(state, look);
      const { logEvidence, anytimeP } = judge(state, RULES).explanation;
      const { logEvidence: said, anytimeP: saidP } = first.said[index] ?? { logEvidence: {}, anytimeP: 0 };
      for (const [name, log] of Object.entries(said)) {
        expect(Math.abs(logEvidence[name as keyof typeof logEvidence] - log)).toBeLessThan(1e-9);
      }
      expect(anytimeP).toBeCloseTo(saidP, 12);
    }
    expect(state.version).toBe(2);
  });

  test('is judged as it stands', () => {
    expect(judge(first.stored, RULES)).toEqual(judge(currentState(first.stored), RULES));
  });

  test('remembers a condemnation, however large its evidence was', () => {
    const logs = [...first.stored.shares.logs.keys()].map((index) => 900 * index - 2_000);
    const shares = { ...first.stored.shares, logs };
    const condemned: FirstJudgeState = { ...first.stored, shares, logEvidenceMax: 2_500 - Math.log(24) };
    expect(decide(condemned, RULES).kind).toBe('rollback');
    expect(judge(condemned, RULES).explanation.logEvidence.shares).toBeCloseTo(2_500 - Math.log(12), 9);
  });
});

test('memory of a version to come is not continued', () => {
  const newer = { ...startJudge(COMPARISON), version: 3 } as unknown as JudgeState;
  expect(() => observe(newer, lookOf({ canaryWeight: 0.5 }))).toThrow(
    "expected a judge's state of version 1 or 2, got 3",
  );
});
