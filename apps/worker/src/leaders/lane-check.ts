import type { LaneState, WorkspaceId } from '@proviso/domain';
import type { Journal } from '@proviso/journal';
import type { Clock, Log } from '../ports.ts';

/** Lanes of one workspace that are checked in one round. */
const lanesMax = 1_000;
/** Twice the lease: what is wrong for two rounds is wrong by itself and not on its way. */
const laneRoundMs = 60_000;
/** An edge that has not reported for this long is away, which is not the same as behind. */
const reportAgeMsMax = 15_000;

/** What is remembered between rounds. */
export interface LaneMemory {
  checkedAt: number;
  /** Workspaces that had an open promotion since this leader began; the others have no lane in motion. */
  readonly workspaces: Set<WorkspaceId>;
  /** Lanes whose edge was behind at the last round. */
  behind: ReadonlySet<string>;
}

/** A memory of nothing. */
export function emptyLaneMemory(): LaneMemory {
  return { checkedAt: 0, workspaces: new Set(), behind: new Set() };
}

/**
 * Compares lanes with their owners and with what edges say they run. Nothing is mended here: a share without an owner has
 * lost its lease already, and an edge that is behind is for an operator to look at.
 */
export async function checkLanes(
  ports: { readonly journal: Pick<Journal, 'reads' | 'edgeReports'>; readonly clock: Clock; readonly log: Log },
  memory: LaneMemory,
): Promise<void> {
  const now = ports.clock.now();
  if (now - memory.checkedAt < laneRoundMs) return;
  memory.checkedAt = now;
  const behind = new Set<string>();
  for (const workspace of memory.workspaces) {
    const reads = ports.journal.reads(workspace);
    const lanes = (await reads.lanes({ limit: lanesMax })).items.map(({ state }) => state);
    for (const lane of lanes.filter(({ weight }) => weight % 100 !== 0)) {
      const owner = lane.owner === null ? null : await reads.promotion(lane.owner);
      if (owner !== null && owner.state.outcome === null) continue;
      ports.log.error({ lane: lane.id, weight: lane.weight, owner: lane.owner }, 'reconciler.share_without_owner');
    }
    for (const late of lateLanes(lanes, await ports.journal.edgeReports(workspace))) {
      behind.add(late.lane);
      if (memory.behind.has(late.lane)) ports.log.warn({ ...late }, 'reconciler.edge_behind');
    }
  }
  memory.behind = behind;
}

interface Late {
  readonly edge: string;
  readonly lane: string;
  readonly decided: number;
  readonly served: number;
}

function lateLanes(
  lanes: readonly LaneState[],
  reports: readonly { readonly edge: string; readonly report: unknown; readonly ageMs: number }[],
): readonly Late[] {
  const fences = new Map<string, number>(lanes.map((lane) => [lane.id, lane.fence.counter]));
  return reports
    .filter(({ ageMs }) => ageMs < reportAgeMsMax)
    .flatMap(({ edge, report }) =>
      servedFences(report).flatMap(({ lane, served }) => {
        const decided = fences.get(lane);
        return decided !== undefined && served < decided ? [{ edge, lane, decided, served }] : [];
      }),
    );
}

/** The report is an edge's own word: whatever in it is not of the known form is passed over. */
function servedFences(report: unknown): readonly { lane: string; served: number }[] {
  const lanes = (report as { lanes?: unknown } | null)?.lanes;
  if (!Array.isArray(lanes)) return [];
  return lanes.flatMap((each: { lane?: unknown; fence?: { counter?: unknown } } | null) => {
    const [lane, served] = [each?.lane, each?.fence?.counter];
    return typeof lane === 'string' && typeof served === 'number' ? [{ lane, served }] : [];
  });
}
