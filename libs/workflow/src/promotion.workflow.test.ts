import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowBundle } from '@temporalio/worker';
import type { Activities } from './activities.ts';
import { testServers } from '@proviso/testkit';
import { type During, type Line, type Score, openScore } from './score.contract.ts';
import { type Stage, bundleOf, openStage } from './stage.contract.ts';
import { idOn, stories, tell, untilAsleep } from './stories.contract.ts';

let bundle: WorkflowBundle;
let stages = 0;

beforeAll(async () => {
  bundle = await bundleOf('./index.ts');
}, 60_000);

function stageOf() {
  stages += 1;
  return { address: testServers().temporalAddress, bundle, name: `story-${stages}` };
}

async function onStage(
  lines: readonly Line[],
  play: (stage: Stage, score: Score) => Promise<void>,
  during?: During,
): Promise<void> {
  const score = openScore(lines, during);
  const stage = await openStage({ ...stageOf(), activities: score.activities });
  try {
    await play(stage, score);
  } finally {
    await stage.close();
  }
}

const asking: readonly Line[] = [{ due: 'readiness' }, { votes: 1 }, { due: 'canary' }, { end: 'live' }];

describe('the story of a promotion', () => {
  it.each(stories)(
    'ends as the journal says: $name',
    async (story) => {
      const { outcome, history } = await tell(story, stageOf());
      expect(outcome).toBe(story.outcome);
      const events = history.events?.length ?? Number.POSITIVE_INFINITY;
      process.stdout.write(`history events of ${story.name}: ${events}\n`);
      // The bound of the design, with two approvals, six changes of the share that each wake the run, and a second lap.
      expect(events).toBeLessThanOrEqual(120);
    },
    60_000,
  );

  it('takes a forged wake for a question, not for an answer', async () => {
    await onStage(asking, async (stage, score) => {
      await stage.start();
      await untilAsleep(stage);
      for (let wakes = 0; wakes < 3; wakes += 1) await stage.wake();
      await untilAsleep(stage);
      expect(score.asked).not.toContain('canary');
      expect(score.vote()).toBe(true);
      const handle = await stage.wake();
      expect(await handle.result()).toBe('live');
    });
  }, 60_000);

  it('goes on after its run was terminated, doing nothing twice', async () => {
    await onStage(asking, async (stage, score) => {
      await stage.start();
      await untilAsleep(stage);
      await stage.client.workflow.getHandle(idOn(stage)).terminate('the test says so');
      score.vote();
      const handle = await stage.wake();
      expect(await handle.result()).toBe('live');
      expect(score.asked.filter((what) => what === 'readiness')).toHaveLength(1);
      expect(score.asked.filter((what) => what === 'canary')).toHaveLength(1);
    });
  }, 60_000);

  it('ends at once in a second run when the journal already has the outcome', async () => {
    await onStage([{ end: 'rolled_back' }], async (stage, score) => {
      for (let runs = 0; runs < 2; runs += 1) expect(await (await stage.wake()).result()).toBe('rolled_back');
      expect(score.asked).toEqual(['look', 'look']);
    });
  }, 60_000);

  it('does not lose a wake that arrives while it is busy', async () => {
    const open: { stage?: Stage; score?: Score } = {};
    const during: During = async () => {
      // The vote falls after the journal was asked by this step, so only the wake can tell of it.
      await open.stage?.wake();
      setImmediate(() => open.score?.vote());
    };
    await onStage(
      [{ due: 'readiness' }, { votes: 1 }, { end: 'live' }],
      async (stage, score) => {
        Object.assign(open, { stage, score });
        expect(await (await stage.start()).result()).toBe('live');
      },
      during,
    );
  }, 60_000);

  it('orders the way back when its run is cancelled in the middle of a step, and carries it out', async () => {
    let cancel = async (): Promise<void> => undefined;
    await onStage(
      [{ due: 'canary' }, { end: 'live' }],
      async (stage, score) => {
        cancel = async () => {
          await stage.client.workflow.getHandle(idOn(stage)).cancel();
          score.turn([{ due: 'undo' }, { end: 'cancelled' }]);
        };
        expect(await (await stage.start()).result()).toBe('cancelled');
        expect(score.asked).toEqual(['look', 'canary', 'abandon', 'look', 'undo']);
      },
      async (step) => {
        if (step === 'canary') await cancel();
      },
    );
  }, 60_000);

  it('asks again when a deadline has passed', async () => {
    await onStage([{ votes: 1, untilMs: 10 }, { end: 'expired' }], async (stage, score) => {
      const handle = await stage.start();
      await untilAsleep(stage);
      score.vote();
      expect(await handle.result()).toBe('expired');
    });
  }, 60_000);

  it('outlasts a journal that is away, and ends when there is no such promotion', async () => {
    let tries = 0;
    const failing = (type: string) => ApplicationFailure.create({ type, message: type });
    const score = openScore([{ end: 'live' }]);
    const look = async (...asked: Parameters<Activities['look']>) => {
      tries += 1;
      if (tries <= 3) throw failing('journal_unavailable');
      if (tries === 5) throw failing('promotion_unknown');
      return await score.activities.look(...asked);
    };
    const stage = await openStage({ ...stageOf(), activities: { ...score.activities, look } });
    try {
      expect(await (await stage.start()).result()).toBe('live');
      const error = await (await stage.start()).result().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'WorkflowFailedError' });
      expect(tries).toBe(5);
    } finally {
      await stage.close();
    }
  }, 60_000);
});
