import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Leadership, openPump, type Pump } from '@proviso/journal';
import { freePort } from '@proviso/servers';
import { createDatabase, startPostgres, startTemporal, turnClock, type TurnedClock } from '@proviso/testkit';
import { Client, Connection, ScheduleOverlapPolicy } from '@temporalio/client';
import { createActivities } from '../../apps/worker/src/activities.ts';
import { watchKeeper } from '../../apps/worker/src/leaders/watch-keeper.ts';
import { openWatchSchedules } from '../../apps/worker/src/leaders/watch-schedules.ts';
import type { Clock, Log } from '../../apps/worker/src/ports.ts';
import { bundleStory, installRuntime, workForever } from '../../apps/worker/src/temporal-workers.ts';
import { openWorld, type World } from '../../apps/worker/src/world.contract.ts';

/** The product's journal, workflow and worker on a PostgreSQL whose clock is turned and a Temporal of its own. */
export interface Ground {
  readonly world: World;
  readonly clock: TurnedClock;
  /** Runs of the reconciler's part that keeps Schedules; answers what it began and ended. */
  readonly keep: () => Promise<readonly string[]>;
  /** The Schedules that there are. */
  readonly schedules: () => Promise<readonly string[]>;
  /** Lets a Schedule fire now: Temporal's own clock cannot be turned. */
  readonly trigger: (name: string) => Promise<void>;
  /** Ends Temporal, takes its database away, and starts it anew. */
  readonly loseTemporal: () => Promise<void>;
  /** What the worker has said since the last time that Schedules were kept. */
  readonly said: () => readonly string[];
  readonly close: () => Promise<void>;
}

/** Opens it; whatever was opened is closed again with it. */
export async function openGround(): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'proviso-watch-'));
  const [postgres, port] = await Promise.all([startPostgres({ durable: false }), freePort()]);
  const database = await createDatabase(postgres.url);
  const clock = await turnClock(database.superuserUrl);
  let temporal = await startTemporal({ port, databaseFile: join(folder, 'temporal-1.db') });
  const said: string[] = [];
  const log = logInto(said);
  installRuntime(log);
  const [world, bundle] = await Promise.all([openWorld({ database }), bundleStory()]);
  const stopping = new AbortController();
  const ports = { ...world.ports, log, clock: turnedWith(world.ports.clock, clock) };
  const working = workForever({
    ...{ address: temporal.address, namespace: 'default', bundle, log, signal: stopping.signal },
    ...{ activities: createActivities(ports), clock: wall, running: () => undefined },
  });
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection });
  const pump = await openPump({ url: world.pumpUrl, durable: false });
  const watches = openWatchSchedules(async () => client);
  const keeper = watchKeeper({ schedules: watches, clock: ports.clock, log });
  return {
    world,
    clock,
    schedules: watches.names,
    said: () => said,
    keep: async () => {
      said.length = 0;
      await leading(pump, keeper);
      return said.filter((line) => /^watch\.(began|ended)/.test(line));
    },
    trigger: async (name) => await client.schedule.getHandle(name).trigger(ScheduleOverlapPolicy.ALLOW_ALL),
    loseTemporal: async () => {
      await temporal.stop();
      temporal = await startTemporal({ port, databaseFile: join(folder, 'temporal-2.db') });
    },
    close: async () => {
      stopping.abort();
      await working;
      await pump.close();
      await connection.close();
      await temporal.stop();
      await world.close();
      await clock.close();
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const wall: Clock = {
  now: () => Date.now(),
  pause: async (durationMs, signal) => await pause(durationMs, undefined, { signal }),
};

/** What a worker waits for comes at once, and its days pass with those of the database. */
function turnedWith(hurried: Clock, turned: TurnedClock): Clock {
  return { now: () => hurried.now() + turned.aheadMs(), pause: hurried.pause };
}

function logInto(lines: string[]): Log {
  const note = (fields: Readonly<Record<string, unknown>>, event: string): void => {
    lines.push(`${event} ${JSON.stringify(fields)}`);
  };
  return { info: note, warn: note, error: note };
}

/** One turn as the leader; its session would end by itself if it were held without pings. */
async function leading(pump: Pump, work: (leadership: Leadership) => Promise<void>): Promise<void> {
  const leadership = await pump.lead('reconciler');
  if (leadership === null) throw new Error('expected to lead, got another leader');
  try {
    await work(leadership);
  } finally {
    await leadership.resign();
  }
}
