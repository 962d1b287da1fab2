import { setTimeout as pause } from 'node:timers/promises';
import { openPump } from '@proviso/journal';
import { startTemporal } from '@proviso/testkit';
import { type PromotionSubject, promotionWorkflow, taskQueues, watchIdOf, workflowIdOf } from '@proviso/workflow';
import { createActivities } from './activities.ts';
import { noFault } from './fault.ts';
import { leadForever } from './leaders/leader.ts';
import { reconcilerWork } from './leaders/reconciler.ts';
import { sequencerWork } from './leaders/sequencer.ts';
import { openStarter } from './leaders/starter.ts';
import { wakerWork } from './leaders/waker.ts';
import { watchKeeper } from './leaders/watch-keeper.ts';
import { openWatchSchedules } from './leaders/watch-schedules.ts';
import { connectClient, once } from './opening.ts';
import type { Clock, Log } from './ports.ts';
import { freezePrototype } from './prototype-folder.contract.ts';
import { bundleStory, installRuntime, workForever } from './temporal-workers.ts';
import { openWorld, type World } from './world.contract.ts';

let world: World;
let temporal: Awaited<ReturnType<typeof startTemporal>>;
const stopping = new AbortController();
const running: Promise<void>[] = [];
const lines: string[] = [];
const note = (fields: Readonly<Record<string, unknown>>, event: string): void => {
  lines.push(`${event} ${JSON.stringify(fields)}`);
};
const log: Log = { info: note, warn: note, error: note };
const wall: Clock = {
  now: () => Date.now(),
  pause: async (durationMs, signal) => await pause(durationMs, undefined, { signal }),
};

/** The worker as `main` composes it, in this process; the reconciler thinks that everything has rested long enough. */
beforeAll(async () => {
  installRuntime(log);
  [world, temporal] = await Promise.all([openWorld(), startTemporal()]);
  const { address } = temporal;
  const { signal } = stopping;
  const pump = once(async () => await openPump({ url: world.pumpUrl, durable: false }));
  const client = once(async () => await connectClient(address, 'default'));
  const starter = openStarter(client);
  const watch = watchKeeper({ schedules: openWatchSchedules(client), clock: wall, log });
  const leading = { pump, clock: wall, log, signal, leads: () => undefined };
  const options = {
    address,
    namespace: 'default',
    activities: createActivities(world.ports),
    bundle: await bundleStory(),
  };
  const impatient: typeof pump = async () => {
    const opened = await pump();
    return {
      ...opened,
      lead: async (name) => {
        const leadership = await opened.lead(name);
        const open = async (limit: number) =>
          (await (leadership?.open(limit) ?? [])).map((each) => ({ ...each, idleMs: each.idleMs + 30_000 }));
        return leadership === null ? null : { ...leadership, open };
      },
    };
  };
  const begun = Date.now();
  const hasty: Clock = {
    now: () => begun + (Date.now() - begun) * 20,
    pause: async (ms, until) => await wall.pause(ms / 20, until),
  };
  running.push(
    workForever({ ...options, clock: wall, log, signal, running: () => undefined }),
    leadForever(leading, wakerWork({ starter, clock: wall, log, fault: noFault })),
    leadForever(leading, sequencerWork()),
    leadForever(
      { ...leading, pump: impatient },
      reconcilerWork({ journal: world.journal, starter, clock: hasty, log, collect: async () => undefined, watch }),
    ),
  );
}, 60_000);

afterAll(async () => {
  stopping.abort();
  await Promise.all(running);
  await temporal.stop();
  await world.close();
}, 60_000);

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let polls = 0; polls < 1_000; polls += 1) {
    if (await holds()) return;
    await pause(50);
  }
  throw new Error(`expected it within 50 s; the worker said:\n${lines.slice(-20).join('\n')}`);
}

async function untilAsked(subject: PromotionSubject): Promise<void> {
  await until(async () => {
    const { state } = await world.view(subject.promotion);
    return state.gates.find(({ name }) => name === 'approval')?.status === 'waiting';
  });
}

async function untilEnded(subject: PromotionSubject): Promise<string> {
  await until(async () => (await world.view(subject.promotion)).state.outcome !== null);
  return (await world.view(subject.promotion)).state.outcome ?? '';
}

let versions = 0;
async function opened(): Promise<PromotionSubject> {
  versions += 1;
  const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': `w${versions}\n` });
  return await world.promote(await world.openPrototype(), artifact);
}

async function handleOf({ promotion }: PromotionSubject) {
  return (await connectClient(temporal.address, 'default')).workflow.getHandle(workflowIdOf(promotion));
}

describe('the worker', () => {
  it('carries a promotion from its opening to live, woken by nothing but the journal', async () => {
    const subject = await opened();
    await untilAsked(subject);
    await world.approve(subject.promotion);
    expect(await untilEnded(subject)).toBe('live');
    await until(async () => (await world.journal.reads(world.workspace).log()).last > 0);
    const handle = await handleOf(subject);
    expect(await handle.result()).toBe('live');
    const { events } = await handle.fetchHistory();
    process.stdout.write(`history events of a promotion with all gates: ${events?.length}\n`);
    expect(events?.length).toBeLessThanOrEqual(120);
  }, 60_000);

  it('lets no text of a prototype or a person into the history of a run', async () => {
    const subject = await opened();
    await untilAsked(subject);
    const history = JSON.stringify(await (await handleOf(subject)).fetchHistory());
    for (const text of ['Olga', 'server.js', 'answer']) expect(history).not.toContain(text);
    await world.approve(subject.promotion);
    await untilEnded(subject);
  }, 60_000);

  it('starts a run anew that was terminated, and says so', async () => {
    const subject = await opened();
    await untilAsked(subject);
    await (await handleOf(subject)).terminate('a test');
    await until(async () => (await (await handleOf(subject)).describe()).status.name === 'RUNNING');
    expect(lines.filter((line) => line.includes('reconciler.found') && line.includes(subject.promotion))).not.toEqual(
      [],
    );
    await world.approve(subject.promotion);
    expect(await untilEnded(subject)).toBe('live');
  }, 60_000);

  it('takes a cancelled run for an order to stop', async () => {
    const subject = await opened();
    await untilAsked(subject);
    await (await handleOf(subject)).cancel();
    expect(await untilEnded(subject)).toBe('cancelled');
    expect(await (await handleOf(subject)).result()).toBe('cancelled');
  }, 60_000);

  it('watches what is live by one Schedule, and nothing once a person has taken it back', async () => {
    versions += 1;
    const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': `w${versions}\n` });
    const watched = { everyMs: 3_600_000, owner: { do: 'hold' }, errorBudget: { burnMax: 2, do: 'note' } } as const;
    const subject = await world.promote(await world.openPrototype(), artifact, { watch: watched });
    await untilAsked(subject);
    await world.approve(subject.promotion);
    expect(await untilEnded(subject)).toBe('live');
    const looksOf = async () => Object.values((await world.view(subject.promotion)).state.watch ?? {});
    await until(async () => (await looksOf()).length === 2);
    const client = await connectClient(temporal.address, 'default');
    const { names } = openWatchSchedules(async () => client);
    const { state } = await world.view(subject.promotion);
    const watch = watchIdOf(state.lanes.production, subject.promotion);
    expect((await client.schedule.getHandle(watch).describe()).spec.intervals).toMatchObject([{ every: 3_600_000 }]);
    await until(async () => (await names()).includes(watch));
    await world.submit(world.operator, { kind: 'Rollback', promotion: subject.promotion });
    await until(async () => !(await names()).includes(watch));
    await client.connection.close();
    expect((await looksOf()).map(({ round }) => round)).toEqual([1, 1]);
  }, 90_000);

  it('replaces a run that cannot work, and one that was started without a subject', async () => {
    const [wedged, forged] = [await opened(), await opened()];
    const { workflow } = await connectClient(temporal.address, 'default');
    const usurp = async ({ promotion }: PromotionSubject, type: string): Promise<void> => {
      const workflowId = workflowIdOf(promotion);
      const how = { workflowId, taskQueue: taskQueues.workflow, args: [] };
      await workflow.start(type, { ...how, workflowIdConflictPolicy: 'TERMINATE_EXISTING' });
    };
    await usurp(wedged, 'unheard-of');
    await usurp(forged, promotionWorkflow);
    for (const subject of [wedged, forged]) {
      await untilAsked(subject);
      await world.approve(subject.promotion);
      expect(await untilEnded(subject)).toBe('live');
    }
    expect(lines.some((line) => line.includes('"restarted"') && line.includes(wedged.promotion))).toBe(true);
  }, 90_000);
});
