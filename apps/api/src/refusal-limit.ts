import type { PersonId } from '@proviso/domain';
import { boundedMap } from './bounded-map.ts';
import { Problem } from './problem.ts';

/** More tries than a person makes by mistake in a minute; each refused one is a row, so a flood must end before the database. */
export const refusalsPerMinuteMax = 60;

/** The length of the window in which refusals are counted. */
const windowMs = 60_000;

/** More people than a deployment has trying at once; the longest silent one is forgotten first. */
const peopleMax = 10_000;

/** Counts the refusals of each person by themselves: whoever is refused slows nobody else down. */
export interface RefusalLimit {
  /** Throws 429 when this person was refused too often; costs no query. */
  readonly admit: (person: PersonId) => void;
  /**
   * Does what may be refused; `isRefused` tells from its result whether it was. Until then it counts as refused, or
   * thousands that are sent at once would all be let in before the first is counted.
   */
  readonly during: <Result>(
    person: PersonId,
    work: () => Promise<Result>,
    isRefused: (result: Result) => boolean,
  ) => Promise<Result>;
  /** Forgets what was counted, for an operator or a test that speaks for many. */
  readonly forgive: (person: PersonId) => void;
}

/** A limit that lives in this process: with several replicas it is so many times larger, and bounded all the same. */
export function openRefusalLimit(now: () => number): RefusalLimit {
  const windows = boundedMap<PersonId, { since: number; count: number }>(peopleMax);
  const underWay = new Map<PersonId, number>();
  const admit = (person: PersonId): void => {
    const window = windows.get(person);
    const leftMs = window === undefined ? 0 : window.since + windowMs - now();
    const counted = window === undefined || leftMs <= 0 ? 0 : window.count;
    if (counted + (underWay.get(person) ?? 0) < refusalsPerMinuteMax) return;
    const message = `expected at most ${refusalsPerMinuteMax} refused tries a minute, got more`;
    // While the limit is only reached by what is under way, its end is near.
    const retryAfterSeconds = counted < refusalsPerMinuteMax ? 1 : Math.ceil(leftMs / 1_000);
    throw new Problem('too_many_refusals', message, { retryAfterSeconds });
  };
  const refused = (person: PersonId): void => {
    const window = windows.get(person);
    const fresh = window === undefined || window.since + windowMs <= now() ? { since: now(), count: 0 } : window;
    windows.set(person, { since: fresh.since, count: fresh.count + 1 });
  };
  return {
    admit,
    during: async (person, work, isRefused) => {
      admit(person);
      underWay.set(person, (underWay.get(person) ?? 0) + 1);
      try {
        const result = await work();
        if (isRefused(result)) refused(person);
        return result;
      } finally {
        const left = (underWay.get(person) ?? 1) - 1;
        if (left > 0) underWay.set(person, left);
        else underWay.delete(person);
      }
    },
    forgive: windows.delete,
  };
}
