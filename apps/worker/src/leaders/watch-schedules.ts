import type { LaneId, PromotionId, WorkspaceId } from '@proviso/domain';
import { taskQueues, watchIdOf, watchWorkflow } from '@proviso/workflow';
import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';

/** A release that is live and watched, and how often. */
export interface Watched {
  readonly workspace: WorkspaceId;
  readonly lane: LaneId;
  readonly promotion: PromotionId;
  readonly everyMs: number;
}

/** The Schedules of watches as Temporal has them. */
export interface WatchSchedules {
  /** The names of all that there are. */
  readonly names: () => Promise<readonly string[]>;
  /** Begins at once; one that is there already stays as it is. */
  readonly begin: (watched: Watched) => Promise<void>;
  readonly end: (name: string) => Promise<void>;
}

/** A call to Temporal that takes longer means that it is away; the next round of the reconciler tries again. */
const callMsMax = 5_000;
/** What was due while Temporal was away is due once: the journal knows when it was looked at last. */
const catchupWindow = '1 minute';

/** The Schedules over a Temporal client, asked for anew each time since connections come and go. */
export function openWatchSchedules(clientOf: () => Promise<Client>): WatchSchedules {
  const call = async <Result>(use: (client: Client) => Promise<Result>): Promise<Result> => {
    const client = await clientOf();
    return await client.withDeadline(Date.now() + callMsMax, async () => await use(client));
  };
  return {
    names: async () =>
      await call(async (client) => {
        const names: string[] = [];
        for await (const { scheduleId } of client.schedule.list()) names.push(scheduleId);
        return names;
      }),
    begin: async (watched) => await call(async (client) => await begin(client, watched)),
    end: async (name) =>
      await call(async (client) => {
        await client.schedule
          .getHandle(name)
          .delete()
          .catch((error: unknown) => {
            if (!(error instanceof ScheduleNotFoundError)) throw error;
          });
      }),
  };
}

async function begin(client: Client, { workspace, lane, promotion, everyMs }: Watched): Promise<void> {
  const name = watchIdOf(lane, promotion);
  try {
    await client.schedule.create({
      scheduleId: name,
      spec: { intervals: [{ every: everyMs }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow },
      // A release that came back by a rollback is looked at before anybody relies on it.
      state: { triggerImmediately: true },
      action: {
        type: 'startWorkflow',
        workflowType: watchWorkflow,
        workflowId: name,
        taskQueue: taskQueues.workflow,
        args: [{ workspace, promotion }],
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
