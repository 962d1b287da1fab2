import { breakageOf } from './log.ts';
import type { Parts } from './parts.ts';

/** Work that nobody waits for, such as telling somebody what came of it: what was decided stands without it. */
export interface Aside {
  readonly aside: (work: Promise<unknown>) => void;
  /** Resolves when nothing of it is under way any more. */
  readonly idle: () => Promise<void>;
}

/** Opens it; what breaks is logged under these words. */
export function openAside({ log }: Pick<Parts, 'log'>, words: string): Aside {
  const underWay = new Set<Promise<void>>();
  return {
    aside: (work) => {
      const done = work.then(
        () => undefined,
        (error: unknown) => log.warn(breakageOf(error), words),
      );
      underWay.add(done);
      void done.finally(() => underWay.delete(done));
    },
    idle: async () => void (await Promise.all(underWay)),
  };
}
