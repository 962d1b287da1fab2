import type { SeededRandom } from './seeded-random.ts';

/** What both arms did in a stretch of time at one share. */
export interface Stretch {
  readonly canary: ArmSeen;
  readonly stable: ArmSeen;
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
      return {
        canary: arm(at, requests * share, nature.rateRatio, nature.slowdown),
        stable: arm(at, requests * (1 - share), 1, 1),
      };
    },
    excess: (at, seconds, share) =>
      nature.requestsPerSecond(at) * seconds * share * (badShareOf(at, nature.rateRatio) - badShareOf(at, 1)),
    turn: () => undefined,
  };
}

/** Users of whom a few fail often, and who stay on one side as long as the share does not pass them. */
const UNLUCKY_USERS = 400;

/** Pareto index of how much a user does: a few users are most of the traffic. */
const ACTIVITY_INDEX = 1.2;

/** Sticky users of very unequal activity, all treated alike by both arms. */
export function stickyWorld(nature: Nature, random: SeededRandom, memory: 'of release' | 'of share'): World {
  const activities = Array.from({ length: UNLUCKY_USERS }, () => (1 - random.uniform()) ** (-1 / ACTIVITY_INDEX));
  const places = activities.map(() => random.uniform());
  const sums: number[] = [];
  for (const activity of activities) sums.push((sums.at(-1) ?? 0) + activity);
  const known = new Set<number>();
  const draw = (): number => {
    const goal = random.uniform() * (sums.at(-1) ?? 0);
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > goal) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return {
    pass: (at, seconds, share) => {
      const requests = nature.requestsPerSecond(at) * seconds;
      const bad = { canary: { events: 0, first: 0 }, stable: { events: 0, first: 0 } };
      for (let event = random.poisson(requests * nature.badShare(at)); event > 0; event -= 1) {
        const user = draw();
        const arm = (places[user] ?? 1) < share ? bad.canary : bad.stable;
        arm.events += 1;
        if (!known.has(user)) arm.first += 1;
        known.add(user);
      }
      const seen = ({ events, first }: typeof bad.canary, part: number): ArmSeen => {
        const good = random.poisson(requests * part * (1 - nature.badShare(at)));
        return { requests: good + events, firstBadUnits: first, badEvents: events, latenciesMs: [] };
      };
      return { canary: seen(bad.canary, share), stable: seen(bad.stable, 1 - share) };
    },
    excess: () => 0,
    turn: () => {
      if (memory === 'of share') known.clear();
    },
  };
}
