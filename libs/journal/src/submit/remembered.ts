import type { WorkspaceId } from '@proviso/domain';
import type { Loaded } from './load.ts';
import type { LockPlan } from './lock.ts';

/**
 * What streams were folded to, by their head. The head is a hash over all that was ever said of a stream, so a locked
 * row that still has it needs not send its state again: a few kilobytes less to write, to send and to read at each step
 * of a promotion. It is never asked for an answer, only compared with a locked row; with another head the row is right.
 * Whoever repairs a state in place, under the same head, starts the processes anew.
 */
export interface Remembered {
  /** What is known of the streams that this plan locks, by `kind/id`. */
  readonly of: (workspace: WorkspaceId, plan: LockPlan) => ReadonlyMap<string, Loaded>;
  /** Keeps what was read under a lock, or written and committed. */
  readonly keep: (workspace: WorkspaceId, streams: ReadonlyMap<string, Loaded>) => void;
}

/** A promotion is a few kilobytes, and seldom are more than some hundred on their way in one process. */
const streamsMax = 1_000;

/** Opens an empty memory; it forgets first what was longest not kept. */
export function rememberStreams(): Remembered {
  const memories = new Map<string, Loaded>();
  return {
    of: (workspace, plan) => {
      const known = new Map<string, Loaded>();
      const add = (stream: string): Loaded | undefined => {
        const memory = memories.get(`${workspace}/${stream}`);
        if (memory !== undefined) known.set(stream, memory);
        return memory;
      };
      for (const promotion of plan.promotions) {
        const state = add(`promotion/${promotion}`)?.state;
        if (!plan.ownLanes || state == null || !('lanes' in state)) continue;
        for (const lane of Object.values(state.lanes)) add(`lane/${lane}`);
      }
      for (const lane of plan.lanes) add(`lane/${lane}`);
      for (const { kind, id } of plan.others) add(`${kind}/${id}`);
      return known;
    },
    keep: (workspace, streams) => {
      for (const [stream, loaded] of streams) {
        const name = `${workspace}/${stream}`;
        memories.delete(name);
        memories.set(name, loaded);
      }
      for (const oldest of memories.keys()) {
        if (memories.size <= streamsMax) break;
        memories.delete(oldest);
      }
    },
  };
}
