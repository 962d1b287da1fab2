import fc from 'fast-check';
import { observe } from './canary-judge.ts';
import { decide, type JudgeDecision, judge } from './canary-verdict.ts';
import { COMPARISON, FIRST_RELEASE, firstReleaseLook, lookOf, RULES, uniform } from './fixtures/looks.ts';
import { type JudgeState, startJudge } from './judge-state.ts';
import type { Look } from './look.ts';

const RANK: Record<JudgeDecision['kind'], number> = { rollback: 0, inconclusive: 1, hold: 2, advance: 3 };

function after(looks: readonly Look[], plan = COMPARISON): JudgeState {
  return looks.reduce(observe, startJudge(plan));
}

const healthy = Array.from({ length: 40 }, () => lookOf({ canaryWeight: 0.5, canary: 2, stable: 2 }));
const quiet = Array.from({ length: 40 }, () => lookOf({ canaryWeight: 0.5, units: 1000 }));
const nothing = lookOf({ canaryWeight: 0.5, units: 0 });

/** Its source has collected nothing yet, which is no silence. */
const unheard = after(
  healthy.map((look) => ({ ...look, waiting: ['latency'] })),
  { ...COMPARISON, metrics: [{ metric: 'latency', portion: 0.2, bounds: [] }] },
);

const STANDINGS = [
  ['waits for a metric of which it saw no value yet', unheard, RULES, 'hold', 'collecting'],
  [
    'asks a person when that value never comes',
    unheard,
    { ...RULES, deadlineReached: true },
    'inconclusive',
    'deadline_reached',
  ],
  ['holds before any look', after([]), RULES, 'hold', 'collecting'],
  ['advances a canary shown to be safe', after(healthy), RULES, 'advance', 'safe_against_stable'],
  ['advances by the objective when nothing bad happened at all', after(quiet), RULES, 'advance', 'objective_met'],
  ['waits for the dwell', after(healthy), { ...RULES, dwellMet: false }, 'hold', 'dwell_unmet'],
  ['asks a person at the deadline', after([]), { ...RULES, deadlineReached: true }, 'inconclusive', 'deadline_reached'],
  [
    'takes a stale sample for no evidence',
    after(healthy),
    { ...RULES, sampleStale: true },
    'inconclusive',
    'stale_sample',
  ],
  ['bears three empty looks', after([...healthy, nothing, nothing, nothing]), RULES, 'advance', 'safe_against_stable'],
  [
    'is blind after four empty looks',
    after([...healthy, nothing, nothing, nothing, nothing]),
    RULES,
    'inconclusive',
    'blind',
  ],
  [
    'sees again after traffic',
    after([nothing, nothing, nothing, nothing, ...healthy]),
    RULES,
    'advance',
    'safe_against_stable',
  ],
  [
    'refuses rules that are no bounds',
    after(healthy),
    { ...RULES, alpha: Number.NaN },
    'inconclusive',
    'rules_refused',
  ],
  [
    'refuses a damaged state',
    { ...after(healthy), safety: { ...after(healthy).safety, total: Number.NaN } },
    RULES,
    'inconclusive',
    'state_damaged',
  ],
] as const;

describe('the verdict', () => {
  test.each(STANDINGS)('%s', (_, state, rules, kind, reason) => {
    expect(judge(state, rules)).toMatchObject({ kind, reason });
  });

  test.each([
    ['not_a_share', { canaryWeight: Number.NaN }],
    ['not_a_share', { canaryWeight: 50 }],
    ['not_a_count', { canaryBadEvents: Number.NaN }],
    ['not_a_count', { stableUnits: -1 }],
    ['not_a_count', { stableRequests: 1.5 }],
    ['not_a_count', { canaryUnits: Number.POSITIVE_INFINITY }],
    ['first_bad_exceeds_bad_events', { canaryFirstBadUnits: 2, canaryBadEvents: 1 }],
    ['units_exceed_requests', { stableRequests: 0 }],
    ['bad_events_exceed_requests', { canaryBadEvents: 1e9 }],
  ] as const)('is inconclusive after a look that is %s', (code, change) => {
    const state = observe(after(healthy), { ...lookOf({ canaryWeight: 0.5 }), ...change });
    expect(state.lastLook).toBe(code);
    expect(judge(state, RULES)).toMatchObject({ kind: 'inconclusive', reason: 'look_refused' });
    expect(decide(observe(state, lookOf({ canaryWeight: 0.5 })), RULES).kind).toBe('advance');
  });
});

describe('the explanation and the refusals of a verdict', () => {
  test('refuses a stable arm where none is expected', () => {
    const state = observe(startJudge(FIRST_RELEASE), lookOf({ canaryWeight: 0.5 }));
    expect(state.lastLook).toBe('unexpected_stable_arm');
    expect(decide(state, RULES).kind).toBe('inconclusive');
  });

  test('holds a suspicious canary although it may be safe enough', () => {
    const state = after([lookOf({ canaryWeight: 0.1, canary: 3, stable: 4 })]);
    expect(decide(state, RULES)).toEqual({ kind: 'hold', reason: 'suspicious' });
  });

  test('lets no amount of safety outweigh a suspicion', () => {
    const safe = after(healthy);
    const suspected = { ...safe, labels: safe.labels.map(() => 3) };
    expect(decide(safe, RULES).kind).toBe('advance');
    expect(decide(suspected, RULES)).toEqual({ kind: 'hold', reason: 'suspicious' });
  });

  test('remembers a condemnation after the evidence has faded', () => {
    const condemned = after([lookOf({ canaryWeight: 0.1, canary: 6 })]);
    expect(decide(condemned, RULES).kind).toBe('rollback');
    const stableFails = Array.from({ length: 400 }, () => lookOf({ canaryWeight: 0.5, stable: 3 }));
    const later = stableFails.reduce(observe, condemned);
    expect(judge(later, RULES).explanation.logEvidence.joint).toBeLessThan(0);
    expect(decide(later, RULES).kind).toBe('rollback');
  });

  test('explains itself always', () => {
    const { explanation } = judge(after(healthy), RULES);
    expect(explanation.samples).toEqual({ canary: { bad: 80, ok: 199_920 }, stable: { bad: 80, ok: 199_920 } });
    expect(explanation.anytimeP).toBe(1);
    expect(explanation.rateRatioInterval?.low).toBeLessThan(1);
    expect(explanation.rateRatioInterval?.high).toBeGreaterThan(1);
    expect(explanation.needed).toEqual({ canaryUnits: 0, looks: 0 });
    expect(judge(after([], FIRST_RELEASE), RULES).explanation.rateRatioInterval).toBeNull();
  });

  test('forecasts the units that a spotless first release still needs', () => {
    const forecast = (units: number) => judge(after([firstReleaseLook(units, 0)], FIRST_RELEASE), RULES);
    const first = forecast(50).explanation.needed;
    expect(first.canaryUnits).toBeGreaterThan(0);
    expect(forecast(50 + (first.canaryUnits ?? 0)).kind).toBe('advance');
    expect(forecast(50).kind).toBe('hold');
    expect(judge(after([firstReleaseLook(1000, 20)], FIRST_RELEASE), RULES).explanation.needed.canaryUnits).toBeNull();
  });
});

describe('at two requests a minute', () => {
  /** Looks of a minute until the canary may advance, with failures drawn from the seed. */
  function looksUntilAdvance(seed: number, from: JudgeState): number {
    const random = uniform(seed);
    let state = from;
    for (let looks = 1; looks < 20_000; looks += 1) {
      state = observe(state, twoRequests(random));
      if (decide(state, RULES).kind === 'advance') return looks;
    }
    return 20_000;
  }

  /** Two requests, each to either arm and each bad one in ten times, whichever arm answers. */
  function twoRequests(random: () => number): Look {
    const arms = { canary: { units: 0, bad: 0 }, stable: { units: 0, bad: 0 } };
    for (let request = 0; request < 2; request += 1) {
      const arm = random() < 0.5 ? arms.canary : arms.stable;
      arm.units += 1;
      if (random() < 0.1) arm.bad += 1;
    }
    const { canary, stable } = arms;
    return {
      ...lookOf({ canaryWeight: 0.5, canary: canary.bad, stable: stable.bad }),
      ...{ canaryUnits: canary.units, stableUnits: stable.units },
      ...{ canaryRequests: canary.units, stableRequests: stable.units },
    };
  }

  test('it is told how many more users and looks are needed, about as many as it then takes', () => {
    const random = uniform(1);
    let state = startJudge(COMPARISON);
    for (let look = 0; look < 120; look += 1) state = observe(state, twoRequests(random));
    const { needed } = judge(state, RULES).explanation;
    const taken = Array.from({ length: 41 }, (_, seed) => looksUntilAdvance(seed, state)).sort((a, b) => a - b);
    const usual = taken[20] ?? 0;
    expect(needed.looks).toBeGreaterThan(usual / 2);
    expect(needed.looks).toBeLessThan(usual * 2);
    expect((needed.canaryUnits ?? 0) / (needed.looks ?? 1)).toBeCloseTo(1, 0);
  });

  test('a first release without failures needs exactly as long as it is told', () => {
    const spotless = (looks: number) =>
      after(
        Array.from({ length: looks }, () => firstReleaseLook(2, 0)),
        FIRST_RELEASE,
      );
    const { needed } = judge(spotless(30), RULES).explanation;
    expect(decide(spotless(30 + (needed.looks ?? 0)), RULES).kind).toBe('advance');
    expect(decide(spotless(Math.floor(0.7 * (30 + (needed.looks ?? 0)))), RULES).kind).toBe('hold');
  });
});

const anyLook = fc.record({
  canaryWeight: fc.constantFrom(0, 0.01, 0.2, 0.5, 1),
  units: fc.constantFrom(0, 40, 1000),
  canary: fc.nat(8),
  stable: fc.nat(8),
});

describe('monotony', () => {
  test('one more bad canary unit never improves the verdict', () => {
    fc.assert(
      fc.property(fc.array(anyLook, { minLength: 1, maxLength: 40 }), fc.nat(), (counts, pick) => {
        const worse = counts.map((look, index) =>
          index === pick % counts.length ? { ...look, canary: look.canary + 1 } : look,
        );
        // Units stay fixed, so that only the judgement on one of them changes.
        const looks = (list: typeof counts) =>
          list.map((look, index) => ({ ...lookOf(look), ...unitsOf(worse[index] ?? look) }));
        const before = decide(after(looks(counts)), RULES);
        expect(RANK[decide(after(looks(worse)), RULES).kind]).toBeLessThanOrEqual(RANK[before.kind]);
      }),
      { numRuns: 500 },
    );
  });

  test('a condemnation is never lost, whatever comes after it', () => {
    fc.assert(
      fc.property(fc.array(anyLook, { maxLength: 20 }), fc.boolean(), (counts, stale) => {
        const condemned = after([lookOf({ canaryWeight: 0.1, canary: 30 })]);
        const later = counts.map(lookOf).reduce(observe, condemned);
        expect(decide(later, { ...RULES, sampleStale: stale, deadlineReached: stale }).kind).toBe('rollback');
      }),
    );
  });

  test('no look, however broken, makes a number of the verdict NaN or lets it advance', () => {
    const anything = fc.oneof(fc.nat(50), fc.double(), fc.constantFrom(-0, -1, Number.NaN, 1e300, 1e12));
    const broken = fc.record({
      canaryWeight: fc.oneof(fc.constantFrom(0, 0.1, 1), fc.double()),
      canaryUnits: anything,
      stableUnits: anything,
      canaryRequests: anything,
      stableRequests: anything,
      canaryFirstBadUnits: anything,
      stableFirstBadUnits: anything,
      canaryBadEvents: anything,
      stableBadEvents: anything,
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(broken, anyLook.map(lookOf)), { maxLength: 30 }), (looks) => {
        const state = after(looks);
        const verdict = judge(state, RULES);
        expect(Object.values(verdict.explanation.logEvidence).every(Number.isFinite)).toBe(true);
        expect(verdict.explanation.anytimeP).toBeGreaterThanOrEqual(0);
        expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
        if (!['counted', 'empty', 'gap', 'none'].includes(state.lastLook)) expect(verdict.kind).not.toBe('advance');
      }),
      { numRuns: 500 },
    );
  });
});

function unitsOf(counts: { canaryWeight: number; units: number; canary: number; stable: number }) {
  const { canaryUnits, stableUnits, canaryRequests, stableRequests } = lookOf(counts);
  return { canaryUnits, stableUnits, canaryRequests, stableRequests };
}
