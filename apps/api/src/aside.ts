import { breakageOf } from './log.ts';
import type { Parts } from './parts.ts';

/** Work that nobody waits for, such as telling somebody what came of it: what was decided stands without it. */
export interface Aside {
  readonly aside: (work: () => Promise<unknown>) => void;
  /** Resolves when nothing of it is under way or waits any more. */
  readonly idle: () => Promise<void>;
}

/** How much of it is done at once; what is asked for meanwhile waits. */
export interface AsideLimits {
  readonly atOnce: number;
  /** What has waited for longer is left: whoever it was for has looked elsewhere by then. */
  readonly waitMsMax: number;
}

/** Opens it; what breaks is logged under these words, and so is what was left. */
export function openAside(
  { log, now }: Pick<Parts, 'log' | 'now'>,
  words: string,
  { atOnce, waitMsMax }: AsideLimits,
): Aside {
  const waiting: { readonly work: () => Promise<unknown>; readonly since: number }[] = [];
  const lanes = new Set<Promise<void>>();
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (now() - next.since > waitMsMax) log.warn({ waitedMs: now() - next.since }, words);
      else await next.work().catch((error: unknown) => log.warn(breakageOf(error), words));
    }
  };
  return {
    aside: (work) => {
      waiting.push({ work, since: now() });
      if (lanes.size >= atOnce) return;
      const opened = lane().finally(() => lanes.delete(opened));
      lanes.add(opened);
    },
    idle: async () => {
      while (lanes.size > 0) await Promise.all(lanes);
    },
  };
}
