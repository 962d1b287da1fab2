import { createRequire } from 'node:module';
import { type Activities, taskQueues } from '@proviso/workflow';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundle,
  bundleWorkflowCode,
} from '@temporalio/worker';
import { nameOf } from './leaders/leader.ts';
import type { Clock, Log } from './ports.ts';

/** Stands in Temporal's history where a host name and a process id would stand: histories are kept and shared. */
export const workerIdentity = 'proviso-worker';

/** What the workers need. */
export interface WorkersOptions {
  readonly address: string;
  readonly namespace: string;
  readonly activities: Activities;
  readonly bundle: WorkflowBundle;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly running: (count: number) => void;
}

const retryMsFirst = 500;
const retryMsMax = 5_000;

/**
 * Sizes for two cores. A scan is a child process and an evaluation drives another, so few run at once; a canary sleeps
 * between looks but keeps its place for as long as it looks. Of the builds most only wait: how many run at once is said
 * by the configuration, and whose turn it is by the queue.
 */
const places = { database: 20, builds: 50, scans: 2, delivery: 100 } as const;

/** The SDK's one runtime per process: its lines become ours, and signals are the app's to handle. */
export function installRuntime(log: Log): void {
  const logger = new DefaultLogger('WARN', ({ level, message }) => {
    // Each of our workers does one of the two on purpose.
    if (/^No (activities|workflows) registered/.test(message)) return;
    // Only the SDK's own sentence: its details may quote failures.
    const fields = { sdk: message.slice(0, 300) };
    if (level === 'ERROR') log.error(fields, 'temporal.sdk');
    else log.warn(fields, 'temporal.sdk');
  });
  const logging = { forward: {}, filter: 'ERROR' } as const;
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging } });
}

/** Bundles the story once at start, so that a worker that is made again after trouble is ready at once. */
export async function bundleStory(): Promise<WorkflowBundle> {
  const workflowsPath = createRequire(import.meta.url).resolve('@proviso/workflow');
  const quiet = (): void => undefined;
  const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
  return await bundleWorkflowCode({ workflowsPath, logger });
}

/** Works until the signal; when Temporal is away or goes away, tries again for ever. */
export async function workForever(options: WorkersOptions): Promise<void> {
  const { clock, log, signal } = options;
  let trouble = false;
  let pauseMs = retryMsFirst;
  while (!signal.aborted) {
    try {
      await workOnce(options, () => {
        log.info({}, trouble ? 'workers.temporal_back' : 'workers.running');
        trouble = false;
        pauseMs = retryMsFirst;
      });
    } catch (error) {
      if (!trouble && !signal.aborted) log.warn({ error: nameOf(error) }, 'workers.temporal_away');
      trouble = true;
    }
    options.running(0);
    await clock.pause(pauseMs, signal).catch(() => undefined);
    pauseMs = Math.min(retryMsMax, pauseMs * 2);
  }
}

async function workOnce(options: WorkersOptions, began: () => void): Promise<void> {
  const { address, namespace, signal } = options;
  const connection = await NativeConnection.connect({ address });
  try {
    const workers = await createWorkers(options, { connection, namespace });
    const stop = (): void => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    const runs = workers.map(async (worker) => await worker.run());
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    options.running(workers.length);
    began();
    try {
      // The first that ends ends all: five queues without one of them would be a promotion that hangs.
      await Promise.race(runs);
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
      await Promise.allSettled(runs);
    }
  } finally {
    await connection.close().catch(() => undefined);
  }
}

async function createWorkers(
  { activities, bundle }: WorkersOptions,
  { connection, namespace }: { connection: NativeConnection; namespace: string },
): Promise<readonly Worker[]> {
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    identity: workerIdentity,
    // Together under the five seconds that a stop may take.
    shutdownGraceTime: '500ms',
    shutdownForceTime: '3s',
    // A killed worker's sticky queue holds a run up for this long; 4.4 s instead of 13.5 s until it goes on.
    stickyQueueScheduleToStartTimeout: '1s',
    // The SDK would hold beats back for four fifths of their timeout, and a busy machine would then miss it.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
  };
  return await Promise.all([
    Worker.create({
      ...common,
      taskQueue: taskQueues.workflow,
      workflowBundle: bundle,
      maxCachedWorkflows: 200,
      maxConcurrentWorkflowTaskExecutions: 10,
    }),
    ...(['database', 'builds', 'scans', 'delivery'] as const).map(async (queue) => {
      const activity = { activities: { ...activities }, maxConcurrentActivityTaskExecutions: places[queue] };
      return await Worker.create({ ...common, ...activity, taskQueue: taskQueues[queue] });
    }),
  ]);
}
