import { logAboveObjective, logBelowObjective, type UnitTotals } from './absolute-test.ts';
import { type Capital, emptyCapital, logCapital } from './capital.ts';
import { canaryLabelShare, emptyLabelEvidence, logLabelEvidence, observeLabels } from './label-evidence.ts';
import { emptyMetricEvidence, logMetricEvidence, type MetricEvidence, observeMetric } from './metric-evidence.ts';
import { emptyRankEvidence, type Heat, observeRanks, rankShare } from './rank-evidence.ts';
import { emptySafetyEvidence, observeSafety } from './safety-evidence.ts';
import { emptyShareEvidence, observeShare } from './share-evidence.ts';

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

const shares = (tolerated: number): Process<Capital> => ({
  start: emptyShareEvidence(),
  observe: (state, counts) => observeShare(state, counts, tolerated),
  log: logCapital,
});

const safety: Process<Capital> = {
  start: emptySafetyEvidence(),
  observe: (state, counts) => observeSafety(state, counts, 2),
  log: logCapital,
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

/** A look at latencies: the canary's share, and what took how long whichever arm answered it. */
type TimedLook = { readonly share: number; readonly values: readonly number[] };
type ArmValues = { readonly share: number; readonly canary: readonly number[]; readonly stable: readonly number[] };
type TimedProcess<State> = {
  readonly start: State;
  readonly observe: (state: State, look: ArmValues) => State;
  readonly log: (state: State) => number;
};

/** E[e-value] over every way in which the requests of each look can fall to the arms, each to the canary by share. */
function timedExpectation<State>(process: TimedProcess<State>, looks: readonly TimedLook[]): number {
  const walk = (state: State, [look, ...later]: readonly TimedLook[]): number => {
    if (look === undefined) return Math.exp(process.log(state));
    const { share, values } = look;
    let sum = 0;
    for (let split = 0; split < 2 ** values.length; split += 1) {
      const canary = values.filter((_, index) => (split >> index) & 1);
      const stable = values.filter((_, index) => !((split >> index) & 1));
      const chance = share ** canary.length * (1 - share) ** stable.length;
      sum += chance * walk(process.observe(state, { share, canary, stable }), later);
    }
    return sum;
  };
  return walk(process.start, looks);
}

const bounds = [10, 100];
const latency = { metric: 'latency', portion: 0.5, bounds } as const;

function bucketsOf(values: readonly number[]): readonly number[] {
  const buckets = [0, 0, 0];
  for (const value of values) {
    const found = bounds.findIndex((bound) => value <= bound);
    const bucket = found === -1 ? bounds.length : found;
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  return buckets;
}

const ranks: TimedProcess<Capital> = {
  start: emptyRankEvidence(),
  observe: (state, { canary, stable }) => observeRanks(state, { kind: 'values', canary, stable }),
  log: logCapital,
};
const rankedBuckets: TimedProcess<Capital> = {
  ...ranks,
  observe: (state, { canary, stable }) =>
    observeRanks(state, { kind: 'histogram', canary: bucketsOf(canary), stable: bucketsOf(stable) }),
};
/** The values of a look in heats of two, in the order in which they came. */
function heatsOf(values: readonly number[], canary: readonly number[]): readonly Heat[] {
  const heats: Heat[] = [];
  for (let at = 0; at < values.length; at += 2) {
    const heat = values.slice(at, at + 2);
    const ours = heat.filter((value) => canary.includes(value));
    const theirs = heat.filter((value) => !canary.includes(value));
    const pairs = ours.length * theirs.length;
    heats.push([ours.length, theirs.length, pairs * 2 * rankShare({ kind: 'values', canary: ours, stable: theirs })]);
  }
  return heats;
}

const inHeats = (values: readonly number[]): TimedProcess<MetricEvidence> => ({
  ...timed('histogram'),
  observe: (state, { share, canary, stable }) => {
    const buckets = { kind: 'histogram', canary: bucketsOf(canary), stable: bucketsOf(stable) } as const;
    const heats = heatsOf(
      values.filter((value) => canary.includes(value) || stable.includes(value)),
      canary,
    );
    return observeMetric(state, latency, { samples: { ...buckets, heats }, share, rateRatioTolerated: 1 });
  },
});

const timed = (kind: 'values' | 'histogram'): TimedProcess<MetricEvidence> => ({
  start: emptyMetricEvidence(latency),
  observe: (state, { share, canary, stable }) => {
    const arms = kind === 'values' ? { canary, stable } : { canary: bucketsOf(canary), stable: bucketsOf(stable) };
    return observeMetric(state, latency, { samples: { kind, ...arms }, share, rateRatioTolerated: 1 });
  },
  log: logMetricEvidence,
});

/** WRONG on purpose, and kept: it ranks the values of all looks so far, and is deceived when load and weight grow. */
type ValuePool = { readonly ranks: Capital; readonly canary: readonly number[]; readonly stable: readonly number[] };
const pooledRanks: TimedProcess<ValuePool> = {
  start: { ranks: emptyCapital(6, 'early_and_late'), canary: [], stable: [] },
  observe: (pool, look) => {
    const canary = [...pool.canary, ...look.canary];
    const stable = [...pool.stable, ...look.stable];
    return { ranks: observeRanks(pool.ranks, { kind: 'values', canary, stable }), canary, stable };
  },
  log: ({ ranks }) => logCapital(ranks),
};

describe('evidence of latency when both arms answer alike', () => {
  const loaded: readonly TimedLook[] = [
    { share: 0.05, values: [3, 9, 9, 40] },
    { share: 0.2, values: [12] },
    { share: 0.2, values: [] },
    { share: 0.5, values: [80, 200, 90, 300, 80] },
  ];

  test.each([
    ['E4 of values', ranks],
    ['E4 of buckets', rankedBuckets],
  ])('%s has expectation exactly 1, through ties, empty arms, ramp and load', (_, process) => {
    expect(timedExpectation(process, loaded)).toBeCloseTo(1, 12);
  });

  test.each([['values'], ['histogram']] as const)('L of %s has expectation exactly 1', (kind) => {
    expect(timedExpectation(timed(kind), loaded)).toBeCloseTo(1, 12);
  });

  test('L of heats has expectation exactly 1, however they came and whatever is left for the last of a look', () => {
    const came = [3, 80, 9, 41, 12, 200, 7, 90, 300];
    const looks = [
      { share: 0.05, values: came.slice(0, 3) },
      { share: 0.3, values: came.slice(3, 8) },
      { share: 0.5, values: came.slice(8) },
    ];
    expect(timedExpectation(inHeats(came), looks)).toBeCloseTo(1, 12);
  });

  test('a variant whose heats lie in two looks fails once somebody looks: half of a heat tells of the other half', () => {
    // The canary's first value was the slower one, so stable's has still to come below it: U is 1 and no fair draw.
    const known = { share: 0.5, first: [200], second: [3, 3] };
    const { share, first, second } = known;
    let mean = 0;
    for (let split = 0; split < 4; split += 1) {
      const arms = second.map((_, index) => (split >> index) & 1);
      const canary = [...first, ...second.filter((_, index) => arms[index] === 1)];
      const stable = second.filter((_, index) => arms[index] === 0);
      const chance = arms.reduce((product, arm) => product * (arm === 1 ? share : 1 - share), 1);
      mean += chance * Math.exp(logCapital(observeRanks(emptyRankEvidence(), { kind: 'values', canary, stable })));
    }
    expect(mean).toBeGreaterThan(1.05);
  });

  test('a variant that pools latency over looks fails the same check', () => {
    const rising = [
      { share: 0.05, values: [1, 2, 3, 4, 5] },
      { share: 0.5, values: [100, 101, 102, 103, 104] },
      { share: 0.5, values: [200, 201] },
    ];
    expect(timedExpectation(pooledRanks, rising)).toBeGreaterThan(1.2);
    expect(timedExpectation(ranks, rising)).toBeCloseTo(1, 12);
  });

  test('a variant that takes sticky users again at every look fails the same check', () => {
    // Each user has a latency of their own, and one arm for the whole canary.
    const [share, users] = [0.2, [10, 20, 30, 200]] as const;
    const again = (looks: number): number =>
      [...Array(2 ** users.length).keys()].reduce((sum, split) => {
        const canary = users.filter((_, user) => (split >> user) & 1);
        const stable = users.filter((_, user) => !((split >> user) & 1));
        let capital = emptyRankEvidence();
        for (let look = 0; look < looks; look += 1) capital = observeRanks(capital, { kind: 'values', canary, stable });
        return sum + share ** canary.length * (1 - share) ** stable.length * Math.exp(logCapital(capital));
      }, 0);
    expect(again(1)).toBeCloseTo(1, 12);
    expect(again(10)).toBeGreaterThan(5);
  });

  test('U is the same from values and from a histogram that keeps them apart', () => {
    const [canary, stable] = [
      [5, 50, 500, 50],
      [5, 5, 50],
    ];
    const direct = { kind: 'values', canary, stable } as const;
    const counted = { kind: 'histogram', canary: bucketsOf(canary), stable: bucketsOf(stable) } as const;
    expect(rankShare(direct)).toBe(9 / 12);
    expect(rankShare(counted)).toBe(9 / 12);
    expect(rankShare({ ...direct, canary: [] })).toBe(0.5);
  });
});
