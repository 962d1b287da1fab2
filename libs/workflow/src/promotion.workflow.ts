import type { Onward, Outcome, Step } from '@proviso/domain';
import {
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, PromotionSubject } from './activities.ts';
import { type TaskQueues, taskQueues, wakeSignal } from './names.ts';
import { retry } from './retry.ts';
import { aroundActMs, stepBounds } from './step-bounds.ts';

/** Look again. */
export const wake = defineSignal(wakeSignal);

/**
 * The whole story of a promotion, top to bottom: ask the journal what is next and do it, until it says that this is the
 * end. The run holds no state but the promotion's id, so it may be lost, repeated or started twice at any line.
 */
export async function promotion(subject: PromotionSubject, queues: TaskQueues = taskQueues): Promise<Outcome> {
  const story = { subject, queues, woken: false };
  setHandler(wake, () => {
    story.woken = true;
  });
  try {
    return await carryOn(story);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // Cancelling the run means rollback: the way back is ordered and then carried out like any other step.
    return await CancellationScope.nonCancellable(async () => {
      await ask(queues).abandon(subject);
      return await carryOn(story);
    });
  }
}

interface Story {
  readonly subject: PromotionSubject;
  readonly queues: TaskQueues;
  /** Set by the signal, cleared before asking, so that a wake that arrives while we ask is not lost. */
  woken: boolean;
}

async function carryOn(story: Story): Promise<Outcome> {
  const { subject, queues } = story;
  let onward: Onward | null = null;
  for (;;) {
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof promotion>(subject, queues);
    if (onward === null) {
      story.woken = false;
      onward = await ask(queues).look(subject);
    }
    switch (onward.kind) {
      case 'run':
        story.woken = false;
        onward = await doing(queues, onward.step).carry({ ...subject, step: onward.step });
        break;
      case 'wait':
        await rest(story, onward.until);
        onward = null;
        break;
      case 'end':
        return onward.outcome;
    }
  }
}

/** The journal's clock and Temporal's may differ; this keeps an early timer from asking in circles. */
const restMsMin = 1_000;

async function rest(story: Story, until: number | null): Promise<void> {
  const woken = (): boolean => story.woken;
  if (until === null) await condition(woken);
  else await condition(woken, Math.max(restMsMin, until - Date.now()));
}

/** Short questions to the journal. A statement there ends after 5 s, a lost connection is noticed by this bound. */
const askMsMax = 15_000;

function ask(queues: TaskQueues): Pick<Activities, 'look' | 'abandon'> {
  return proxyActivities<Activities>({ taskQueue: queues.database, startToCloseTimeout: askMsMax, retry });
}

function doing(queues: TaskQueues, step: Step): Pick<Activities, 'carry'> {
  const { actMsMax, heartbeatMsMax } = stepBounds[step];
  return proxyActivities<Activities>({
    taskQueue: queueOf(queues, step),
    startToCloseTimeout: actMsMax + aroundActMs,
    heartbeatTimeout: heartbeatMsMax,
    retry,
  });
}

function queueOf(queues: TaskQueues, step: Step): string {
  switch (step) {
    case 'build':
      return queues.builds;
    case 'readiness':
    case 'scan':
    case 'evaluation':
      return queues.scans;
    case 'staging':
    case 'canary':
    case 'undo':
      return queues.delivery;
  }
}
