import type { Digest, WorkspaceId } from '@proviso/domain';
import type { Journal } from '@proviso/journal';
import { boundedMap } from './bounded-map.ts';

const dayMs = 86_400_000;

/** Tokens of a busy deployment in one day; the one that was longest not noted is noted once more. */
const rememberedMax = 10_000;

/** When tokens were used last, by the day: one write for each token, day and process, however many requests come. */
export interface TokenUse {
  readonly note: (workspace: WorkspaceId, hash: Digest) => Promise<void>;
}

/** Opens an empty memory; what another process has noted already costs one write that changes nothing. */
export function openTokenUse(journal: Pick<Journal, 'noteTokenUse'>, now: () => number): TokenUse {
  const days = boundedMap<Digest, number>(rememberedMax);
  return {
    note: async (workspace, hash) => {
      const today = Math.floor(now() / dayMs);
      if (days.get(hash) === today) return;
      await journal.noteTokenUse(workspace, hash);
      days.set(hash, today);
    },
  };
}
