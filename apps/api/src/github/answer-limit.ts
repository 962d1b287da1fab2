import { boundedMap } from '../bounded-map.ts';

/** More than a person types in a minute; whoever goes on is heard by nobody, since each answer is a comment of ours. */
const answersPerMinuteMax = 30;
const windowMs = 60_000;

/** More senders than one minute has; the longest silent one is forgotten first. */
const sendersMax = 10_000;

/** Bounds how often anybody at GitHub is answered: on a public repository that may be anybody at all. */
export interface AnswerLimit {
  /** True while they are still answered. */
  readonly admits: (user: number) => boolean;
}

/** A limit that lives in this process. */
export function openAnswerLimit(now: () => number): AnswerLimit {
  const windows = boundedMap<number, { readonly since: number; count: number }>(sendersMax);
  return {
    admits: (user) => {
      const known = windows.get(user);
      const window = known === undefined || now() - known.since >= windowMs ? { since: now(), count: 0 } : known;
      window.count += 1;
      windows.set(user, window);
      return window.count <= answersPerMinuteMax;
    },
  };
}
