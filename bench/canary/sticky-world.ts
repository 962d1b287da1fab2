import type { SeededRandom } from './seeded-random.ts';
import type { ArmSeen, Nature, World } from './world.ts';

/** Pareto index of how much a user does: a few users are most of the traffic. */
const ACTIVITY_INDEX = 1.2;

/** Users who ever fail; all others are only counted. */
const UNLUCKY_USERS = 400;

/** Users whose latency is looked at. */
const TIMED_USERS = 3_000;

/** ln of users' own median latencies spreads so much: some have more data, or live further away. */
const USER_SPREAD = 0.5;

/** Users of very unequal activity, each with a place that decides its arm at every share. */
interface Crowd {
  /** Who comes next. */
  readonly draw: () => number;
  readonly isOnCanary: (user: number, share: number) => boolean;
}

function crowd(size: number, random: SeededRandom): Crowd {
  const places = Array.from({ length: size }, () => random.uniform());
  const sums: number[] = [];
  for (let user = 0; user < size; user += 1) {
    sums.push((sums.at(-1) ?? 0) + (1 - random.uniform()) ** (-1 / ACTIVITY_INDEX));
  }
  return {
    draw: () => {
      const goal = random.uniform() * (sums.at(-1) ?? 0);
      let [low, high] = [0, size - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sums[middle] ?? 0) > goal) high = middle;
        else low = middle + 1;
      }
      return low;
    },
    isOnCanary: (user, share) => (places[user] ?? 1) < share,
  };
}

/** Sticky users of whom a few fail often, all treated alike by both arms. */
export function stickyWorld(nature: Nature, random: SeededRandom, memory: 'of release' | 'of share'): World {
  const users = crowd(UNLUCKY_USERS, random);
  const known = new Set<number>();
  return {
    pass: (at, seconds, share) => {
      const requests = nature.requestsPerSecond(at) * seconds;
      const bad = { canary: { events: 0, first: 0 }, stable: { events: 0, first: 0 } };
      for (let event = random.poisson(requests * nature.badShare(at)); event > 0; event -= 1) {
        const user = users.draw();
        const arm = users.isOnCanary(user, share) ? bad.canary : bad.stable;
        arm.events += 1;
        if (!known.has(user)) arm.first += 1;
        known.add(user);
      }
      const seen = ({ events, first }: typeof bad.canary, part: number): ArmSeen => {
        const good = random.poisson(requests * part * (1 - nature.badShare(at)));
        return { requests: good + events, firstBadUnits: first, badEvents: events, latenciesMs: [] };
      };
      return { canary: seen(bad.canary, share), stable: seen(bad.stable, 1 - share), order: [] };
    },
    excess: () => 0,
    turn: () => {
      if (memory === 'of share') known.clear();
    },
  };
}

/**
 * Sticky users of whom each has a latency of its own, the same in both arms. Which of them are on the canary is drawn
 * once and not at each look, so that only each user's first request is a fresh draw.
 */
export function stickyTimedWorld(
  nature: Nature,
  random: SeededRandom,
  timed: 'every request' | 'first requests',
): World {
  const users = crowd(TIMED_USERS, random);
  const medians = Array.from({ length: TIMED_USERS }, () => Math.exp(USER_SPREAD * random.normal()));
  const known = new Set<number>();
  return {
    pass: (at, seconds, share) => {
      const arms = { canary: emptyArm(), stable: emptyArm(), order: [] as number[] };
      for (let request = random.poisson(nature.requestsPerSecond(at) * seconds); request > 0; request -= 1) {
        const user = users.draw();
        const isCanary = users.isOnCanary(user, share);
        const arm = isCanary ? arms.canary : arms.stable;
        arm.requests += 1;
        const latency = nature.medianMs(at) * (medians[user] ?? 1) * Math.exp(0.2 * random.normal());
        if (timed === 'every request' || !known.has(user)) {
          arm.latenciesMs.push(latency);
          arms.order.push(Number(isCanary));
        }
        known.add(user);
      }
      return arms;
    },
    excess: () => 0,
    turn: () => undefined,
  };
}

function emptyArm(): { requests: number; firstBadUnits: number; badEvents: number; latenciesMs: number[] } {
  return { requests: 0, firstBadUnits: 0, badEvents: 0, latenciesMs: [] };
}
