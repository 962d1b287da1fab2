import { type Line, type Score, openScore, subject } from './score.contract.ts';
import { type Stage, openStage } from './stage.contract.ts';
import { workflowIdOf } from './names.ts';

/** A story to tell on a stage: its score, and what people do while it runs. */
export interface Story {
  readonly name: string;
  readonly lines: readonly Line[];
  readonly outcome: string;
  /** Told by the workflow that watches what is live, instead of the one that promotes it. */
  readonly watches?: true;
  /** What happens from outside; `wakeAll` is given so that each vote wakes the run as the waker would. */
  readonly act: (stage: Stage, score: Score) => Promise<void>;
  /** Wakes that arrive while this step is carried, one per change of the canary's share. */
  readonly wakesDuring?: { readonly step: string; readonly count: number };
}

const gates: readonly Line[] = [{ due: 'readiness' }, { due: 'scan' }, { due: 'evaluation' }, { due: 'staging' }];
const sinceBuild: readonly Line[] = [
  ...([{ due: 'build' }, { due: 'scan' }, { due: 'staging' }] as const),
  ...([{ votes: 1 }, { due: 'canary' }] as const),
];
const dayMs = 86_400_000;
const approval: Line = { votes: 2, untilMs: 7 * dayMs };

async function voteTwice(stage: Stage, score: Score): Promise<void> {
  for (let votes = 0; votes < 2; votes += 1) {
    await untilAsleep(stage);
    score.vote();
    await stage.wake();
  }
}

/** The stories whose histories are kept: each outcome that a person can meet. */
export const stories: readonly Story[] = [
  {
    name: 'live',
    // The canary needs a second activity: five minutes of looking are one activity's bound.
    lines: [...gates, approval, { due: 'canary', laps: 2 }, { end: 'live' }],
    outcome: 'live',
    act: voteTwice,
    wakesDuring: { step: 'canary', count: 6 },
  },
  {
    name: 'built',
    // The evidence of the build grew too old, and the second build is another one: all that stood on it is run again.
    lines: [{ due: 'readiness' }, ...sinceBuild, ...sinceBuild, { end: 'live' }],
    outcome: 'live',
    act: voteTwice,
  },
  {
    name: 'blocked',
    lines: [
      { due: 'readiness' },
      { due: 'scan' },
      { votes: 1, untilMs: 30 * dayMs, why: 'blocked' },
      { end: 'cancelled' },
    ],
    outcome: 'cancelled',
    act: async (stage, score) => {
      await untilAsleep(stage);
      score.vote();
      await stage.wake();
    },
  },
  {
    name: 'rejected',
    lines: [...gates, approval, { end: 'rejected' }],
    outcome: 'rejected',
    act: voteTwice,
  },
  {
    name: 'rolled-back',
    lines: [...gates, approval, { due: 'canary' }, { due: 'undo' }, { end: 'rolled_back' }],
    outcome: 'rolled_back',
    act: voteTwice,
  },
  {
    name: 'cancelled-run',
    lines: [...gates, approval, { end: 'live' }],
    outcome: 'cancelled',
    act: async (stage) => {
      await untilAsleep(stage);
      await stage.client.workflow.getHandle(idOn(stage)).cancel();
    },
  },
  {
    name: 'watched',
    lines: [{ looks: 8 }, { end: 'live' }],
    outcome: 'watched',
    watches: true,
    act: async () => undefined,
  },
  {
    name: 'watched-to-its-end',
    // What the third look found has taken the release from its users.
    lines: [{ looks: 3 }, { end: 'rolled_back' }],
    outcome: 'over',
    watches: true,
    act: async () => undefined,
  },
];

/** Tells one story to its end and answers its outcome and history. */
export async function tell(story: Story, stageOf: Omit<Parameters<typeof openStage>[0], 'activities'>) {
  let stage: Stage | null = null;
  const { wakesDuring } = story;
  const score = openScore(story.lines, async (step) => {
    if (step !== wakesDuring?.step) return;
    for (let wakes = 0; wakes < wakesDuring.count / 2; wakes += 1) {
      await stage?.wake();
      await eventsSettle(stage);
    }
  });
  stage = await openStage({ ...stageOf, activities: score.activities });
  try {
    const handle = story.watches ? await stage.watch() : await stage.start();
    await story.act(stage, score);
    const outcome = await handle.result();
    return { outcome, history: await handle.fetchHistory(), asked: score.asked };
  } finally {
    await stage.close();
  }
}

/** The id of the run on a stage: a named stage keeps its runs apart. */
export function idOn(stage: Stage): string {
  const suffix = stage.queues.workflow.replace(/^proviso-workflow/, '');
  return workflowIdOf(subject.promotion) + suffix;
}

/** Waits until the run has nothing to do: no task is open and no activity is pending. */
export async function untilAsleep(stage: Stage): Promise<void> {
  for (let polls = 0; polls < pollsMax; polls += 1) {
    const { raw } = await stage.client.workflow.getHandle(idOn(stage)).describe();
    const idle = (raw.pendingActivities ?? []).length === 0 && raw.pendingWorkflowTask == null;
    if (idle && Number(raw.workflowExecutionInfo?.historyLength ?? 0) > 3) return;
    await nextPoll();
  }
  throw new Error('expected the run to fall asleep, got none that does');
}

/** Lets the workflow task that a wake caused finish, so that each wake is seen by a task of its own: the worst case. */
async function eventsSettle(stage: Stage | null): Promise<void> {
  for (let polls = 0; stage !== null && polls < pollsMax; polls += 1) {
    const { raw } = await stage.client.workflow.getHandle(idOn(stage)).describe();
    if (raw.pendingWorkflowTask == null) return;
    await nextPoll();
  }
}

/** Polls end after some ten seconds: a run that takes longer has a fault that waiting would hide. */
const pollsMax = 500;

async function nextPoll(): Promise<void> {
  const { setTimeout: pause } = await import('node:timers/promises');
  await pause(20);
}
