import type { PromotionSubject } from '@proviso/workflow';
import { promotionWorkflow, taskQueues, wakeSignal, workflowIdOf } from '@proviso/workflow';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** What a run looks like from outside. */
export type RunStanding = 'missing' | 'closed' | 'wedged' | 'working' | 'idle';

/** Temporal as the leaders see it: one verb that is always right, and a look. */
export interface Starter {
  /** Starts the run or wakes it: whichever is needed. */
  readonly wake: (subject: PromotionSubject) => Promise<void>;
  readonly standing: (subject: PromotionSubject) => Promise<RunStanding>;
  /** Ends a wedged run, so that the next wake starts anew; the promotion itself is not touched. */
  readonly drop: (subject: PromotionSubject) => Promise<void>;
}

/** A call to Temporal that takes longer means that it is away; marks stay and the call is made again. */
const callMsMax = 5_000;
/** A workflow task that failed this often in a row does not heal by itself: the code or the history is wrong for it. */
const taskTriesMax = 3;

/** The starter over a Temporal client, asked for anew each time since connections come and go. */
export function openStarter(clientOf: () => Promise<Client>): Starter {
  const call = async <Result>(use: (client: Client) => Promise<Result>): Promise<Result> => {
    const client = await clientOf();
    return await client.withDeadline(Date.now() + callMsMax, async () => await use(client));
  };
  return {
    wake: async (subject) => {
      await call((client) =>
        client.workflow.signalWithStart(promotionWorkflow, {
          workflowId: workflowIdOf(subject.promotion),
          taskQueue: taskQueues.workflow,
          args: [{ workspace: subject.workspace, promotion: subject.promotion }],
          signal: wakeSignal,
          signalArgs: [],
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      );
    },
    standing: async (subject) => await call((client) => standingOf(client, subject)),
    drop: async (subject) => {
      await call((client) => client.workflow.getHandle(workflowIdOf(subject.promotion)).terminate('wedged'));
    },
  };
}

async function standingOf(client: Client, subject: PromotionSubject): Promise<RunStanding> {
  try {
    const { status, raw } = await client.workflow.getHandle(workflowIdOf(subject.promotion)).describe();
    if (status.name !== 'RUNNING') return 'closed';
    if ((raw.pendingWorkflowTask?.attempt ?? 0) >= taskTriesMax) return 'wedged';
    const busy = (raw.pendingActivities ?? []).length > 0 || raw.pendingWorkflowTask != null;
    return busy ? 'working' : 'idle';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'missing';
    throw error;
  }
}
