import { logAboveObjective, logBelowObjective, type UnitTotals } from './absolute-test.ts';
import { canaryLabelShare, emptyLabelEvidence, logLabelEvidence, observeLabels } from './label-evidence.ts';
import { emptySafetyEvidence, logSafetyEvidence, observeSafety } from './safety-evidence.ts';
import { emptyShareEvidence, logShareEvidence, observeShare } from './share-evidence.ts';

/** One evidence process: how it starts, takes a look, and is read. */
type Process<State> = {
  readonly start: State;
  readonly observe: (state: State, counts: { share: number; canary: number; stable: number }) => State;
  readonly log: (state: State) => number;
};

/** A look given its number of bad units; weight and load change from look to look, as in a ramp under drift. */
type Stratum = { readonly share: number; readonly bad: number };

const RAMP: readonly Stratum[] = [
  { share: 0.05, bad: 6 },
  { share: 0.1, bad: 0 },
  { share: 0.2, bad: 4 },
  { share: 0.5, bad: 1 },
  { share: 0.05, bad: 5 },
];

function binomial(n: number, k: number, p: number): number {
  let chance = (1 - p) ** n;
  for (let index = 0; index < k; index += 1) chance *= ((n - index) / (index + 1)) * (p / (1 - p));
  return chance;
}

/** E[e-value] over every outcome of the looks, when each bad unit is the canary's with chance q(ρ). */
function expectation<State>(process: Process<State>, rateRatio: number, looks = RAMP): number {
  const walk = (state: State, rest: readonly Stratum[]): number => {
    const [look, ...later] = rest;
    if (look === undefined) return Math.exp(process.log(state));
    let sum = 0;
    for (let canary = 0; canary <= look.bad; canary += 1) {
      const counts = { share: look.share, canary, stable: look.bad - canary };
      const chance = binomial(look.bad, canary, canaryLabelShare(look.share, rateRatio));
      sum += chance * walk(process.observe(state, counts), later);
    }
    return sum;
  };
  return walk(process.start, looks);
}

const labels = (tolerated: number): Process<readonly number[]> => ({
  start: emptyLabelEvidence(),
  observe: (state, counts) => observeLabels(state, counts, tolerated),
  log: logLabelEvidence,
});

const shares = (tolerated: number): Process<ReturnType<typeof emptyShareEvidence>> => ({
  start: emptyShareEvidence(),
  observe: (state, counts) => observeShare(state, counts, tolerated),
  log: logShareEvidence,
});

const safety: Process<readonly number[]> = {
  start: emptySafetyEvidence(),
  observe: (state, counts) => observeSafety(state, counts, 2),
  log: logSafetyEvidence,
};

/**
 * WRONG on purpose, and kept: it pools the counts of all looks and tests them once at the mean weight. While the weight
 * ramps and the load drifts, a canary equal to stable then looks guilty (Simpson's paradox), and α is lost.
 */
type Pool = { readonly weights: number; readonly looks: number; readonly canary: number; readonly stable: number };
const pooled: Process<Pool> = {
  start: { weights: 0, looks: 0, canary: 0, stable: 0 },
  observe: (pool, { share, canary, stable }) => ({
    weights: pool.weights + share,
    looks: pool.looks + 1,
    canary: pool.canary + canary,
    stable: pool.stable + stable,
  }),
  log: ({ weights, looks, canary, stable }) =>
    logLabelEvidence(observeLabels(emptyLabelEvidence(), { share: weights / looks, canary, stable }, 1)),
};

describe('evidence under the null hypothesis', () => {
  test('E1 has expectation exactly 1 at the tolerated ratio', () => {
    expect(expectation(labels(1), 1)).toBeCloseTo(1, 12);
    expect(expectation(labels(1.3), 1.3)).toBeCloseTo(1, 12);
  });

  test('E3 has expectation exactly 1 at the tolerated ratio', () => {
    expect(expectation(shares(1), 1)).toBeCloseTo(1, 12);
    expect(expectation(shares(1.3), 1.3)).toBeCloseTo(1, 12);
  });

  test('SAFE, the mirror, has expectation exactly 1 at the ratio to be ruled out', () => {
    expect(expectation(safety, 2)).toBeCloseTo(1, 12);
  });

  test('all three stay below 1 inside their null', () => {
    expect(expectation(labels(1), 0.5)).toBeLessThan(1);
    expect(expectation(shares(1), 0.5)).toBeLessThan(1);
    expect(expectation(safety, 4)).toBeLessThan(1);
  });

  test('E3 keeps expectation 1 when all its late-start money has been paid out', () => {
    const quiet = Array.from({ length: 400 }, () => ({ share: 0.1, bad: 0 }));
    expect(expectation(shares(1), 1, [...quiet, { share: 0.3, bad: 3 }, { share: 0.1, bad: 3 }])).toBeCloseTo(1, 12);
  });

  test('the pooled-weight variant fails the same check', () => {
    const drifting = [
      { share: 0.02, bad: 1 },
      { share: 0.5, bad: 12 },
    ];
    expect(expectation(pooled, 1, drifting)).toBeGreaterThan(5);
    expect(expectation(labels(1), 1, drifting)).toBeCloseTo(1, 12);
  });

  test.each([0.01, 0.2, 0.6])('R and S have expectation 1 at the objective %d', (objective) => {
    const units = 40;
    const mean = (log: (totals: UnitTotals, objective: number) => number) =>
      Array.from(
        { length: units + 1 },
        (_, bad) => binomial(units, bad, objective) * Math.exp(log({ bad, ok: units - bad }, objective)),
      );
    const sum = (terms: readonly number[]) => terms.reduce((total, term) => total + term, 0);
    expect(sum(mean(logAboveObjective))).toBeCloseTo(1, 9);
    expect(sum(mean(logBelowObjective))).toBeCloseTo(1, 9);
  });
});
