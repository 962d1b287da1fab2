import type { PersonId } from '@proviso/domain';
import { Problem } from './problem.ts';

/** Each may hold 400 MB of disk until it is frozen or refused; with more at once a few people could fill a small machine. */
const uploadsAtOnceMax = 16;

/** Enough for somebody who freezes several prototypes at once; others must still find a place. */
const uploadsOfOneMax = 4;

/** Freezing takes seconds. */
const retryAfterSeconds = 5;

/** Bounds what is being frozen at once, in all and by one person. */
export interface UploadLimit {
  /** Freezes, or throws 429 before a byte of the body is read. */
  readonly during: <Result>(person: PersonId, freeze: () => Promise<Result>) => Promise<Result>;
}

/** A limit that lives in this process, like the folder that it protects. */
export function openUploadLimit(): UploadLimit {
  const running: PersonId[] = [];
  return {
    during: async (person, freeze) => {
      const own = running.filter((one) => one === person).length;
      if (running.length >= uploadsAtOnceMax || own >= uploadsOfOneMax) {
        const message = `expected at most ${uploadsAtOnceMax} uploads at once, and ${uploadsOfOneMax} of one person`;
        throw new Problem('too_many_uploads', message, { retryAfterSeconds });
      }
      running.push(person);
      try {
        return await freeze();
      } finally {
        running.splice(running.indexOf(person), 1);
      }
    },
  };
}
