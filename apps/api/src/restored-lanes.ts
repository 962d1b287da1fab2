import { type Fence, type LaneId, type PersonId, builtinPrincipals, isNewerFence } from '@proviso/domain';
import type { EdgeLane, Journal } from '@proviso/journal';
import type { Caller } from './caller.ts';
import { type Logger, breakageOf } from './log.ts';

/**
 * A lane is raised once in this time at most. After a restore once is enough for one edge; an edge that lies each second
 * would otherwise write an entry each second, and keep each canary of its workspace from ever being proven.
 */
const raiseEveryMs = 10_000;

/** Lanes raised while one edge waits for its orders; the others have their turn a second later. */
const raisedMax = 100;

/** What an edge says it runs; only the fences matter here. */
type Seen = readonly { readonly lane: string; readonly fence: Fence }[];

/** Notices that the database came out of a backup: an edge has seen a fence that its row does not hold yet. */
export interface RestoredLanes {
  /** Raises such lanes above what was seen, through the journal; true when one was raised, and what was read is old. */
  readonly notice: (
    caller: Pick<Caller, 'workspace' | 'person'>,
    lanes: readonly EdgeLane[],
    seen: Seen,
  ) => Promise<boolean>;
}

interface Ports {
  readonly journal: Pick<Journal, 'submit'>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Opens it. If we die in the middle, the edge says the same again and gets the same answer: the key is what it saw. */
export function openRestoredLanes(ports: Ports): RestoredLanes {
  const tried = new Map<LaneId, number>();
  const isDue = (lane: LaneId): boolean => {
    for (const [one, at] of tried) if (ports.now() - at >= raiseEveryMs) tried.delete(one);
    return !tried.has(lane);
  };
  return {
    notice: async ({ workspace, person }, lanes, seen) => {
      const rows = new Map<string, EdgeLane['lane']['state']>(lanes.map(({ lane }) => [lane.state.id, lane.state]));
      const ahead = seen.flatMap(({ lane, fence }) => {
        const row = rows.get(lane);
        return row !== undefined && isNewerFence(fence, row.fence) && isDue(row.id) ? [{ lane: row.id, fence }] : [];
      });
      let raised = false;
      for (const { lane, fence } of ahead.slice(0, raisedMax)) {
        tried.set(lane, ports.now());
        raised = (await raise(ports, { workspace, lane, seen: fence, edge: person.id })) || raised;
      }
      return raised;
    },
  };
}

interface Raising {
  readonly workspace: Caller['workspace'];
  readonly lane: LaneId;
  readonly seen: Fence;
  readonly edge: PersonId;
}

/** Never throws: one lane that cannot be raised now must not keep the edge from the orders of all others. */
async function raise({ journal, log }: Ports, { workspace, lane, seen, edge }: Raising): Promise<boolean> {
  try {
    const receipt = await journal.submit({
      workspace,
      actor: builtinPrincipals.keeper.id,
      command: { kind: 'RaiseIncarnation', lane, seen, edge },
      idempotencyKey: `raise/${lane}/${seen.incarnation}.${seen.counter}`,
      authn: 'service/api',
    });
    const refused = receipt.kind === 'refused' ? receipt.refusal.code : null;
    log.warn({ lane, seen, edge, refused }, 'an edge has seen a newer fence than the journal holds');
    return refused === null;
  } catch (error) {
    log.warn({ lane, edge, ...breakageOf(error) }, 'a restored lane could not be raised');
    return false;
  }
}
