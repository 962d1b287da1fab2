import { decide, observe, startJudge } from '@proviso/judge';

// Two processes are scraped at two moments. Here both arms answer exactly alike, slow answers come in bursts, and the
// stable arm is scraped half a look after the canary.

const share = 0.1;
const looks = 150;
const canaries = 100;
const answersPerHalf = 40;
const alpha = 0.01;
const rules = { alpha, beta: 0.05, dwellMet: true, deadlineReached: false, sampleStale: false };

/** How many of these canaries are condemned, by ranks alone or with the buckets' bound too. */
function condemned(bounds: readonly number[], random: () => number): number {
  let count = 0;
  for (let canary = 0; canary < canaries; canary += 1) if (isCondemned(bounds, random)) count += 1;
  return count;
}

function isCondemned(bounds: readonly number[], random: () => number): boolean {
  const plan = { objective: 0.01, firstRelease: false, sticky: true, rateRatioTolerated: 1, rateRatioMax: 2 };
  let judge = startJudge({ ...plan, metrics: [{ metric: 'latency', portion: 0.5, bounds }] });
  const answered = (requests: number, slowShare: number): readonly [number, number] => {
    let slow = 0;
    for (let request = 0; request < requests; request += 1) if (random() < slowShare) slow += 1;
    return [requests - slow, slow];
  };
  const half = () => {
    const slowShare = random() < 0.1 ? 0.6 : 0;
    return {
      canary: answered(answersPerHalf * share, slowShare),
      stable: answered(answersPerHalf * (1 - share), slowShare),
    };
  };
  const sum = (one: readonly [number, number], other: readonly [number, number]) => [
    one[0] + other[0],
    one[1] + other[1],
  ];
  let first = half();
  let second = half();
  for (let look = 0; look < looks; look += 1) {
    const third = half();
    const latency = {
      kind: 'histogram',
      canary: sum(first.canary, second.canary),
      stable: sum(second.stable, third.stable),
    } as const;
    const nobodyBad = { canaryFirstBadUnits: 0, stableFirstBadUnits: 0, canaryBadEvents: 0, stableBadEvents: 0 };
    const came = { canaryUnits: 8, stableUnits: 72, canaryRequests: 8, stableRequests: 72 };
    judge = observe(judge, { canaryWeight: share, ...came, ...nobodyBad, metrics: { latency } });
    if (decide(judge, rules).kind === 'rollback') return true;
    first = third;
    second = half();
  }
  return false;
}

/** The same numbers on every machine. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('ranks condemn no more healthy canaries than alpha allows, however bursts fall between two scrapes', () => {
  expect(condemned([], seeded(7))).toBeLessThanOrEqual(canaries * alpha);
});

test('a bound would condemn many of them, which is why a policy cannot have one there', () => {
  expect(condemned([0.1], seeded(7))).toBeGreaterThan(canaries / 2);
});
