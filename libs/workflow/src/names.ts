import type { LaneId, PromotionId } from '@proviso/domain';

/** The workflow's type as Temporal knows it: renaming it would orphan every open run. */
export const promotionWorkflow = 'promotion';

/** The type of the short workflow that a Schedule starts for each round of looks at a live release. */
export const watchWorkflow = 'watch';

/** The one signal. It carries nothing: whoever can send it can only make the workflow ask the journal again. */
export const wakeSignal = 'wake';

/**
 * Where work waits. Scans take strangers' input and child processes, so a host can be set apart for them; builds do so
 * for half an hour, and no scan should wait behind one; delivery reaches the edges.
 */
export const taskQueues = {
  workflow: 'proviso-workflow',
  database: 'proviso-database',
  builds: 'proviso-builds',
  scans: 'proviso-scans',
  delivery: 'proviso-delivery',
} as const;

/** The four names, as one object: tests give each run names of its own. */
export type TaskQueues = Readonly<Record<keyof typeof taskQueues, string>>;

/** One promotion has one workflow id for ever, so a second start meets the first run instead of racing it. */
export function workflowIdOf(promotion: PromotionId): string {
  return `promotion/${promotion}`;
}

/** One live release has one Schedule: its lane's name comes first, so that what is left over in a lane can be told. */
export function watchIdOf(lane: LaneId, promotion: PromotionId): string {
  return `watch/${lane}/${promotion}`;
}

/** The lane in such a name; null for any other name. */
export function laneOfWatch(name: string): string | null {
  return /^watch\/([^/]+)\//.exec(name)?.[1] ?? null;
}
