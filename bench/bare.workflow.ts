import { condition, defineSignal, proxyActivities, setHandler, workflowInfo } from '@temporalio/workflow';

/** Says that somebody has voted; carries nothing, as ours. */
export const wake = defineSignal('wake');

interface Bare {
  readonly nothing: () => Promise<void>;
  /** Asks the driver for the two signals that stand for votes. */
  readonly askForVotes: (workflowId: string) => Promise<void>;
}

/** As many activities on as many queues, timers and signals as a promotion with all gates; nothing else. */
export async function bare(): Promise<void> {
  let wakes = 0;
  setHandler(wake, () => {
    wakes += 1;
  });
  const on = (taskQueue: string) =>
    proxyActivities<Bare>({ taskQueue, startToCloseTimeout: '1 minute', heartbeatTimeout: '10s' });
  await on('bare-database').nothing();
  for (let gate = 0; gate < 3; gate += 1) await on('bare-scans').nothing();
  await on('bare-delivery').askForVotes(workflowInfo().workflowId);
  for (let vote = 1; vote <= 2; vote += 1) {
    await condition(() => wakes >= vote, '1 day');
    await on('bare-database').nothing();
  }
  await on('bare-delivery').nothing();
}
