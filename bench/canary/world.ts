import type { SeededRandom } from './seeded-random.ts';

/** What both arms did in a stretch of time at one share. */
export interface Stretch {
  readonly canary: ArmSeen;
  readonly stable: ArmSeen;
  /** Whose each latency is, 1 for the canary, in the order in which they came; those of an arm have their order there. */
  readonly order: readonly number[];
}

/** One arm of a stretch. */
export interface ArmSeen {
  readonly requests: number;
  readonly firstBadUnits: number;
  readonly badEvents: number;
  readonly latenciesMs: readonly number[];
}

/** A prototype's users, and a canary of it. Nothing here knows which rule looks. */
export interface World {
  /** What happens from a second on, for so many seconds, at a canary share of 0 to 1. */
  readonly pass: (at: number, seconds: number, share: number) => Stretch;
  /** Bad requests that the canary adds to those which stable would have answered badly, in the mean. */
  readonly excess: (at: number, seconds: number, share: number) => number;
  /** A new share begins; some edges forget then whom they have seen failing. */
  readonly turn: () => void;
}

/** How a world runs; rates are functions of the second. */
export interface Nature {
  readonly requestsPerSecond: (at: number) => number;
  readonly badShare: (at: number) => number;
  /** ρ; an outage is a ratio that makes every request bad. */
  readonly rateRatio: number;
  /** Bad events that come together, as a client's retries do; they are one unit. */
  readonly cluster: number;
  /** Slower by this factor; 0 when nobody looks at latency. */
  readonly slowdown: number;
  readonly medianMs: (at: number) => number;
}

/** ln of the latencies of one moment spreads so much: their 99th percentile is 3.2 times their median. */
const LATENCY_SPREAD = 0.5;

/** Requests that know nothing of each other, but for clusters. */
export function independentWorld(nature: Nature, random: SeededRandom): World {
  const badShareOf = (at: number, ratio: number): number => Math.min(1, nature.badShare(at) * ratio);
  const arm = (at: number, mean: number, ratio: number, slowdown: number): ArmSeen => {
    const bad = badShareOf(at, ratio);
    const clusters = random.poisson((mean * bad) / nature.cluster);
    const badEvents = clusters * nature.cluster;
    const requests = badEvents + random.poisson(mean * (1 - bad));
    const latenciesMs: number[] = [];
    if (nature.slowdown > 0) {
      const median = nature.medianMs(at) * slowdown;
      for (let each = 0; each < requests; each += 1)
        latenciesMs.push(median * Math.exp(LATENCY_SPREAD * random.normal()));
    }
    return { requests, firstBadUnits: clusters, badEvents, latenciesMs };
  };
  return {
    pass: (at, seconds, share) => {
      const requests = nature.requestsPerSecond(at) * seconds;
      const canary = arm(at, requests * share, nature.rateRatio, nature.slowdown);
      const stable = arm(at, requests * (1 - share), 1, 1);
      return { canary, stable, order: mixed(canary.latenciesMs.length, stable.latenciesMs.length, random) };
    },
    excess: (at, seconds, share) =>
      nature.requestsPerSecond(at) * seconds * share * (badShareOf(at, nature.rateRatio) - badShareOf(at, 1)),
    turn: () => undefined,
  };
}

/** Each order in which values of two arms can come, equally likely. */
function mixed(canary: number, stable: number, random: SeededRandom): readonly number[] {
  const order: number[] = [];
  for (let [ours, left] = [canary, canary + stable]; left > 0; left -= 1) {
    const isCanary = random.uniform() * left < ours;
    if (isCanary) ours -= 1;
    order.push(Number(isCanary));
  }
  return order;
}
