import { type WatchCheck, watchChecks } from '@proviso/domain';
import { proxyActivities } from '@temporalio/workflow';
import type { Activities, PromotionSubject } from './activities.ts';
import { type TaskQueues, taskQueues } from './names.ts';
import { retry } from './retry.ts';
import { aroundActMs, watchBounds } from './step-bounds.ts';

/**
 * One round of looks at a live release, started by its Schedule. It knows nothing but the promotion's id: what is due,
 * what it means and what is done about it is the journal's to say, so a round may be lost, repeated or started by hand.
 */
export async function watch(subject: PromotionSubject, queues: TaskQueues = taskQueues): Promise<'watched' | 'over'> {
  for (const check of watchChecks) {
    const turn = await looking(queues, check).watch({ ...subject, check });
    if (turn === 'over') return 'over';
  }
  return 'watched';
}

function looking(queues: TaskQueues, check: WatchCheck): Pick<Activities, 'watch'> {
  const { actMsMax, heartbeatMsMax } = watchBounds[check];
  return proxyActivities<Activities>({
    taskQueue: queueOf(queues, check),
    startToCloseTimeout: actMsMax + aroundActMs,
    heartbeatTimeout: heartbeatMsMax,
    retry,
  });
}

function queueOf(queues: TaskQueues, check: WatchCheck): string {
  switch (check) {
    case 'owner':
    case 'review':
    case 'cost':
    case 'drift':
      return queues.database;
    case 'errorBudget':
      return queues.delivery;
    case 'scan':
    case 'evaluation':
      return queues.scans;
  }
}
