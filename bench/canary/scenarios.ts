import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { stickyTimedWorld, stickyWorld } from './sticky-world.ts';
import { independentWorld, type Nature, type World } from './world.ts';

/** p_slo of every prototype here. */
export const OBJECTIVE = 0.01;

/** Requests per second of every prototype here, in the mean. */
export const REQUESTS_PER_SECOND = 100;

const BAD_SHARE = 0.005;
const MEDIAN_MS = 80;

/** A kind of prototype, its canary, and the numbers that differ from run to run drawn from the run's seed. */
export interface Scenario {
  readonly name: string;
  readonly sticky: boolean;
  readonly world: (run: number) => World;
}

const plain: Nature = {
  requestsPerSecond: () => REQUESTS_PER_SECOND,
  badShare: () => BAD_SHARE,
  rateRatio: 1,
  cluster: 1,
  slowdown: 0,
  medianMs: () => MEDIAN_MS,
};

/** Load and base rate go up and down together, by a factor of e each way, once in twenty minutes to an hour. */
function drifting(random: SeededRandom): Nature {
  const [phase, period] = [random.uniform() * 2 * Math.PI, 1_200 + 2_400 * random.uniform()];
  const wave = (at: number): number => Math.sin(phase + (2 * Math.PI * at) / period);
  return {
    ...plain,
    requestsPerSecond: (at) => REQUESTS_PER_SECOND * (1 + 0.5 * wave(at)),
    badShare: (at) => BAD_SHARE * Math.exp(wave(at)),
    medianMs: (at) => MEDIAN_MS * Math.exp(0.3 * wave(at)),
  };
}

/** Twenty times the base rate for a minute, in both arms, somewhere in every ten minutes. */
function bursting(random: SeededRandom): Nature {
  const begins = Array.from({ length: 6 }, (_, index) => 600 * index + 540 * random.uniform());
  const inBurst = (at: number): boolean => begins.some((begin) => at >= begin && at < begin + 60);
  return { ...plain, badShare: (at) => BAD_SHARE * (inBurst(at) ? 20 : 1) };
}

/** While weights climb, the base rate climbs fourfold and the load doubles: pooled over time, the canary looks guilty. */
const climbing: Nature = {
  ...plain,
  requestsPerSecond: (at) => REQUESTS_PER_SECOND * (0.67 + 0.67 * Math.min(1, at / 600)),
  badShare: (at) => (BAD_SHARE / 2) * (1 + 3 * Math.min(1, at / 600)),
};

/** A day: load and base rate follow the sun, with a burst now and then. */
function daily(random: SeededRandom): Nature {
  const phase = random.uniform() * 2 * Math.PI;
  const wave = (at: number): number => Math.sin(phase + (2 * Math.PI * at) / 86_400);
  return {
    ...plain,
    requestsPerSecond: (at) => REQUESTS_PER_SECOND * (1 + 0.8 * wave(at)),
    badShare: (at) => BAD_SHARE * Math.exp(0.7 * wave(at)),
  };
}

function independent(name: string, nature: Nature | ((random: SeededRandom) => Nature)): Scenario {
  return {
    name,
    sticky: false,
    world: (run) => {
      const random = seededRandom(seedOf(name), run);
      return independentWorld(typeof nature === 'function' ? nature(random) : nature, random);
    },
  };
}

function sticky(name: string, memory: 'of release' | 'of share'): Scenario {
  return { name, sticky: true, world: (run) => stickyWorld(plain, seededRandom(seedOf('sticky'), run), memory) };
}

/** Canaries that are exactly as good as stable: whatever rolls them back is wrong. */
export const nulls: readonly Scenario[] = [
  independent('flat', plain),
  independent('drift', drifting),
  independent('burst on both', bursting),
  independent('ramp with drift', climbing),
  independent('base rate at the objective', { ...plain, badShare: () => OBJECTIVE }),
  independent('clusters of 3', { ...plain, cluster: 3 }),
  independent('clusters of 10', { ...plain, cluster: 10 }),
  sticky('sticky unequal users', 'of release'),
];

/** As good as stable, and looked at for a whole day. */
export const dayOfLooks: Scenario = independent('24 h of looks', daily);

/** Sticky users at an edge that forgets at each new share whom it has seen failing. */
export const forgetfulEdge: Scenario = sticky('sticky, seen failing forgotten at each share', 'of share');

/** A healthy canary, for the time until it is live. */
export const healthy: Scenario = independent('healthy', plain);

/** Canaries that are worse. */
export const alternatives: readonly (Scenario & { readonly rateRatio: number })[] = [2, 5, 20, 1 / BAD_SHARE].map(
  (rateRatio) => ({
    ...independent(rateRatio === 1 / BAD_SHARE ? 'outage' : `ratio ${rateRatio}`, { ...plain, rateRatio }),
    rateRatio,
  }),
);

/** Canaries that are slower by a tenth and make no more mistakes. */
export const slower: readonly Scenario[] = [
  independent('slower by a tenth, flat', { ...plain, slowdown: 1.1 }),
  independent('slower by a tenth, drift', (random) => ({ ...drifting(random), slowdown: 1.1 })),
];

/** As slow as stable while load and latency drift. */
export const latencyNull: Scenario = independent('latency drift', (random) => ({ ...drifting(random), slowdown: 1 }));

/** The same, for those who look each second to find a slowness sooner. */
export const latencyNullEachSecond: Scenario = independent('latency drift, looks of 1 s', (random) => ({
  ...drifting(random),
  slowdown: 1,
}));

/** Sticky users with latencies of their own, as slow as on stable: by first requests, and by all of them. */
export const stickyLatencyNulls = (['first requests', 'every request'] as const).map((timed) => ({
  name: `latency of sticky users, ${timed}`,
  sticky: true,
  timed,
  world: (run: number) => stickyTimedWorld(plain, seededRandom(seedOf('sticky latency'), run), timed),
}));

/** A number from a name, so that scenarios do not share their randomness (FNV-1a). */
function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash;
}
