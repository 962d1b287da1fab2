import { proxyActivities, sleep } from '@temporalio/workflow';
import type { Activities, PromotionSubject } from '../activities.ts';
import { taskQueues } from '../names.ts';

/**
 * Wrong on purpose: it rests before it asks, which no recorded run did. If the replay lets this through, it would let any
 * change of order through.
 */
export async function promotion(subject: PromotionSubject): Promise<string> {
  await sleep('1s');
  const { look } = proxyActivities<Activities>({ taskQueue: taskQueues.database, startToCloseTimeout: '15s' });
  const onward = await look(subject);
  return onward.kind;
}

/** Wrong in the same way: it rests before its first look. */
export async function watch(subject: PromotionSubject): Promise<string> {
  await sleep('1s');
  const { watch: look } = proxyActivities<Activities>({ taskQueue: taskQueues.database, startToCloseTimeout: '15s' });
  return await look({ ...subject, check: 'owner' });
}
