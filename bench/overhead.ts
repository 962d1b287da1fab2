import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { openJournal, openPump } from '@proviso/journal';
import { createDatabase, startPostgres, startTemporal } from '@proviso/testkit';
import { taskQueues, workflowIdOf } from '@proviso/workflow';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { leadForever } from '../apps/worker/src/leaders/leader.ts';
import { sequencerWork } from '../apps/worker/src/leaders/sequencer.ts';
import { openStarter } from '../apps/worker/src/leaders/starter.ts';
import { wakerWork } from '../apps/worker/src/leaders/waker.ts';
import { type BenchLine, median, rounded } from './line.ts';
import type { BenchOptions } from './main.ts';
import { clock, foundHouse, type House, noopActivities, openPromotion, quiet } from './noop-house.ts';

/** The event budget of the design for a promotion with all gates, two approvals and six weight steps. */
const historyEventsMax = 120;

/**
 * A whole promotion with no-op runners (journal, leaders, two votes and six weight steps included) against a bare
 * workflow with the same activities and timers, alternating on one Temporal server in one run.
 */
export async function run(options: BenchOptions): Promise<readonly BenchLine[]> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const [postgres, temporal] = await Promise.all([startPostgres({ durable: true }), startTemporal()]);
  const stop = new AbortController();
  try {
    const database = await createDatabase(postgres.url);
    const journal = await openJournal({
      url: database.appUrl,
      connectionsMax: 10,
      origin: 'bench',
      vaultKeyHex: database.vaultKeyHex,
    });
    const connection = await NativeConnection.connect({ address: temporal.address });
    const client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
    const house = await foundHouse(journal);
    const workers = [...(await ourWorkers(connection, house)), ...(await bareWorkers(connection, client))];
    const running = workers.map((worker) => worker.run());
    const leading = lead({ pumpUrl: database.pumpUrl, client, signal: stop.signal });
    const lines = await compare({ client, house, options });
    stop.abort();
    for (const worker of workers) worker.shutdown();
    await Promise.allSettled([...running, ...leading]);
    await journal.close();
    return lines;
  } finally {
    stop.abort();
    await Promise.all([temporal.stop(), postgres.stop()]);
  }
}

interface Comparison {
  readonly client: Client;
  readonly house: House;
  readonly options: BenchOptions;
}

async function compare({ client, house, options }: Comparison): Promise<readonly BenchLine[]> {
  const count = options.quick ? 10 : 40;
  const [ours, theirs]: [number[], number[]] = [[], []];
  let events = 0;
  // One more than asked: the first round warms code and caches, and is dropped.
  for (let round = 0; round <= options.rounds; round += 1) {
    const promotions = await Promise.all(Array.from({ length: count }, () => openPromotion(house)));
    ours.push(
      await perSecond(
        count,
        promotions.map((promotion) => () => promote(client, promotion)),
      ),
    );
    theirs.push(
      await perSecond(
        count,
        Array.from({ length: count }, () => () => goBare(client)),
      ),
    );
    const last = await client.workflow.getHandle(workflowIdOf(promotions[0]?.id ?? 'prm_')).describe();
    events = Math.max(events, last.historyLength);
  }
  const [our, their] = [median(ours.slice(1)), median(theirs.slice(1))];
  const ratio = rounded(our / their);
  return [
    {
      bench: 'overhead',
      metric: 'promotions_per_second',
      ours: rounded(our),
      peer: rounded(their),
      peerName: 'bare workflow',
      ratio,
      goal: 'ratio >= 0.6',
      met: ratio >= 0.6,
    },
    {
      bench: 'overhead',
      metric: 'history_events',
      ours: events,
      peer: null,
      peerName: null,
      ratio: null,
      goal: `<= ${historyEventsMax}`,
      met: events <= historyEventsMax,
    },
  ];
}

async function perSecond(count: number, jobs: readonly (() => Promise<void>)[]): Promise<number> {
  const started = performance.now();
  await Promise.all(jobs.map((job) => job()));
  return (count / (performance.now() - started)) * 1_000;
}

/** Opens the promotion, whose dirty mark starts the run, and waits for its end. */
async function promote(client: Client, promotion: Awaited<ReturnType<typeof openPromotion>>): Promise<void> {
  await promotion.open();
  await promotion.ended;
  const outcome = await client.workflow.getHandle(workflowIdOf(promotion.id)).result();
  if (outcome !== 'live') throw new Error(`expected the promotion to go live, got ${String(outcome)}`);
}

async function goBare(client: Client): Promise<void> {
  await client.workflow.execute('bare', { workflowId: `bare/${randomUUID()}`, taskQueue: 'bare-workflow' });
}

async function ourWorkers(connection: NativeConnection, house: House): Promise<readonly Worker[]> {
  const workflowsPath = createRequire(import.meta.url).resolve('@proviso/workflow');
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: quiet });
  const activities = { ...noopActivities(house) };
  return await Promise.all([
    Worker.create({ connection, taskQueue: taskQueues.workflow, workflowBundle }),
    ...(['database', 'scans', 'delivery'] as const).map((queue) =>
      Worker.create({ connection, taskQueue: taskQueues[queue], activities }),
    ),
  ]);
}

async function bareWorkers(connection: NativeConnection, client: Client): Promise<readonly Worker[]> {
  const workflowsPath = createRequire(import.meta.url).resolve('./bare.workflow.ts');
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: quiet });
  const votes = async (workflowId: string) => {
    for (let vote = 0; vote < 2; vote += 1) await client.workflow.getHandle(workflowId).signal('wake');
  };
  const activities = {
    nothing: async () => undefined,
    askForVotes: async (workflowId: string) => {
      void votes(workflowId);
    },
  };
  return await Promise.all([
    Worker.create({ connection, taskQueue: 'bare-workflow', workflowBundle }),
    ...['bare-database', 'bare-scans', 'bare-delivery'].map((taskQueue) =>
      Worker.create({ connection, taskQueue, activities }),
    ),
  ]);
}

function lead(parts: { pumpUrl: string; client: Client; signal: AbortSignal }): readonly Promise<void>[] {
  const pump = openPump({ url: parts.pumpUrl });
  const ports = { pump: async () => await pump, clock, log: quiet, signal: parts.signal, leads: () => undefined };
  const starter = openStarter(async () => parts.client);
  return [wakerWork({ starter, clock, log: quiet, fault: () => undefined }), sequencerWork()].map((work) =>
    leadForever(ports, work),
  );
}
