import { setTimeout as pause } from 'node:timers/promises';
import { familyOf, identityOf, listProcesses } from '@proviso/isolation';

/** Everybody who ever descended from a release, seen from outside, whatever became of them. */
export interface Families {
  readonly look: () => Promise<void>;
  /** Of these releases, named by their first processes: how many there ever were, and the pids of those who still live. */
  readonly of: (heads: readonly number[]) => { readonly members: number; readonly survivors: readonly number[] };
  /** The first processes of all releases that were ever seen. */
  readonly heads: () => readonly number[];
  readonly end: () => Promise<void>;
}

const lookMs = 500;

/** Looks over and over; `headsNow` tells the first processes of all releases that run now. */
export function watchFamilies(headsNow: () => Promise<readonly number[]>): Families {
  const known = new Map<number, Map<number, string>>();
  let over = false;
  const look = async (): Promise<void> => {
    const heads = await headsNow().catch(() => []);
    const rows = listProcesses();
    for (const head of heads) {
      const family = known.get(head) ?? new Map<number, string>();
      known.set(head, family);
      for (const pid of familyOf(head, rows)) {
        const identity = identityOf(pid);
        if (identity !== null) family.set(pid, identity);
      }
    }
  };
  const walking = (async () => {
    for (; !over; await pause(lookMs)) await look();
  })();
  return {
    look,
    of: (heads) => {
      const members = heads.flatMap((head) => [...(known.get(head) ?? [])]);
      const alive = members.filter(([pid, identity]) => identityOf(pid) === identity);
      return { members: members.length, survivors: alive.map(([pid]) => pid) };
    },
    heads: () => [...known.keys()],
    end: async () => {
      over = true;
      await walking;
    },
  };
}
