import { createRequire } from 'node:module';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import type { Outcome } from '@proviso/domain';
import type { Activities } from './activities.ts';
import { type TaskQueues, promotionWorkflow, taskQueues, wakeSignal, watchWorkflow, workflowIdOf } from './names.ts';
import { subject } from './score.contract.ts';

/** Stands where a host name and a process id would stand, so that a recorded history tells nothing about a machine. */
export const identity = 'proviso';

/** A dev server with the story's workers on it. */
export interface Stage {
  readonly client: Client;
  readonly queues: TaskQueues;
  readonly start: () => Promise<WorkflowHandle<() => Promise<Outcome>>>;
  /** One round of the watch over the same promotion, as its Schedule starts it. */
  readonly watch: () => Promise<WorkflowHandle<() => Promise<string>>>;
  readonly wake: () => Promise<WorkflowHandle>;
  readonly close: () => Promise<void>;
}

/** Bundles a workflow file once; every worker of a test shares the bundle. */
export async function bundleOf(file: string): Promise<WorkflowBundle & { code: string }> {
  quiet();
  const workflowsPath = createRequire(import.meta.url).resolve(file);
  return await bundleWorkflowCode({ workflowsPath, logger: silent });
}

const log = (): void => undefined;
const silent = { log, trace: log, debug: log, info: log, warn: log, error: log };

let installed = false;

/** The SDK's own runtime is one per process; its lines would drown the tests' own. */
export function quiet(): void {
  if (!installed) Runtime.install({ logger: silent, telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  installed = true;
}

/** Opens a stage: one worker per queue, as in production, so that a wrong queue name is noticed. */
export async function openStage(options: {
  readonly address: string;
  readonly bundle: WorkflowBundle;
  readonly activities: Activities;
  /** Keeps tests on a shared server apart; without it the product's own names are used. */
  readonly name?: string;
}): Promise<Stage> {
  quiet();
  const connection = await NativeConnection.connect({ address: options.address });
  const clientConnection = await Connection.connect({ address: options.address });
  const client = new Client({ connection: clientConnection, identity });
  const suffix = options.name === undefined ? '' : `-${options.name}`;
  const queues: TaskQueues = {
    workflow: taskQueues.workflow + suffix,
    database: taskQueues.database + suffix,
    builds: taskQueues.builds + suffix,
    scans: taskQueues.scans + suffix,
    delivery: taskQueues.delivery + suffix,
  };
  const { activities, bundle } = options;
  const common = { connection, identity, shutdownGraceTime: 0, shutdownForceTime: 1_000 };
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: queues.workflow, workflowBundle: bundle }),
    ...[queues.database, queues.builds, queues.scans, queues.delivery].map((taskQueue) =>
      Worker.create({ ...common, taskQueue, activities: { ...activities } }),
    ),
  ]);
  const runs = workers.map((worker) => worker.run());
  const workflowId = workflowIdOf(subject.promotion) + suffix;
  const args: [typeof subject, ...TaskQueues[]] = options.name === undefined ? [subject] : [subject, queues];
  const how = { workflowId, taskQueue: queues.workflow, args };
  return {
    client,
    queues,
    start: async () => await client.workflow.start<() => Promise<Outcome>>(promotionWorkflow, how as never),
    watch: async () => {
      const id = { ...how, workflowId: `watch-${workflowId}` };
      return await client.workflow.start<() => Promise<string>>(watchWorkflow, id as never);
    },
    wake: async () =>
      await client.workflow.signalWithStart(promotionWorkflow, {
        ...how,
        signal: wakeSignal,
        signalArgs: [],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    close: async () => {
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await connection.close();
      await clientConnection.close();
    },
  };
}
