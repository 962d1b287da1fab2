import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Builder } from '@proviso/build';
import { folderStore } from '@proviso/evidence';
import { findIsolation } from '@proviso/isolation';
import { type Journal, JournalFailure, openJournal, openPump } from '@proviso/journal';
import { openPrometheus } from '@proviso/prometheus';
import { gatePassOf, localTarget } from '@proviso/targets';
import { pino } from 'pino';
import { createActivities } from './activities.ts';
import { openBuildQueue } from './build-queue.ts';
import { openBuilder } from './builder.ts';
import { sweepCandidates } from './candidate-folder.ts';
import { type WorkerConfig, readConfig } from './config.ts';
import { faultAt, noFault } from './fault.ts';
import { type Vitals, openHealth } from './health.ts';
import { isolatedChild } from './isolated-child.ts';
import { evidenceCollector } from './leaders/collector.ts';
import { courierWork } from './leaders/courier.ts';
import { leadForever, nameOf } from './leaders/leader.ts';
import { reconcilerWork } from './leaders/reconciler.ts';
import { sequencerWork } from './leaders/sequencer.ts';
import { openStarter } from './leaders/starter.ts';
import { watchKeeper } from './leaders/watch-keeper.ts';
import { openWatchSchedules } from './leaders/watch-schedules.ts';
import { wakerWork } from './leaders/waker.ts';
import { connectClient, once, openPatiently } from './opening.ts';
import type { Clock, WorkerPorts } from './ports.ts';
import { bundleStory, installRuntime, workForever } from './temporal-workers.ts';

const log = pino(
  { base: { app: 'worker' }, timestamp: pino.stdTimeFunctions.isoTime },
  pino.destination({ fd: 2, sync: true }),
);
const clock: Clock = {
  now: () => Date.now(),
  pause: async (durationMs, signal) => await pause(durationMs, undefined, { signal }),
};

/** Whatever is still busy then is taken up by the next worker: an activity that was cut off is a claim to be repeated. */
const stopMsMax = 5_000;
/** Enough for 20 short commands at once; PostgreSQL's connections are shared with the API. */
const connectionsMax = 10;
const edgeMsMax = 3_000;
/** What other workers of this machine leave behind when they are killed only costs room. */
const sweepMs = 3_600_000;

async function run(config: WorkerConfig, signal: AbortSignal): Promise<void> {
  const onError = (error: Error): void => log.warn({ error: nameOf(error) }, 'journal.connection');
  installRuntime(log);
  const left = await sweepCandidates(config.workFolder);
  if (left > 0) log.info({ left }, 'candidates.swept');
  const sweeping = setInterval(() => void sweepAgain(config.workFolder), sweepMs);
  const { databaseUrl: url, origin, vaultKeyHex } = config;
  const waiting = { clock, log, signal };
  const [isolation, journal, bundle] = await Promise.all([
    findIsolation(config.isolation === null ? {} : { way: config.isolation }),
    openPatiently(waiting, async () => await openJournal({ url, connectionsMax, origin, vaultKeyHex, onError })),
    bundleStory(),
  ]);
  const vitals: Vitals = { workers: 0, leads: new Map(), isolation: { way: isolation.way, limits: isolation.limits } };
  const level = isolation.way === 'none' ? 'warn' : 'info';
  log[level]({ way: isolation.way, limits: isolation.limits, why: isolation.why }, 'worker.isolation');
  if (config.prometheus.size > 0) log.info({ names: [...config.prometheus.keys()] }, 'worker.prometheus');
  const builder = await openBuilder(config, { isolation, clock, log, path: process.env.PATH ?? '' });
  const ports = portsOf(config, journal, builder);
  const health = config.port === null ? null : openHealth(vitals, journal.ping);
  if (config.port !== null) health?.listen(config.port, '127.0.0.1');
  try {
    await Promise.all([
      workForever({
        address: config.temporalAddress,
        namespace: config.temporalNamespace,
        activities: createActivities(ports),
        bundle,
        ...waiting,
        running: (count) => {
          vitals.workers = count;
        },
      }),
      ...leaders(config, { ports, journal, vitals, signal, onError }),
    ]);
  } finally {
    clearInterval(sweeping);
    health?.close();
    await journal.close();
  }
}

async function sweepAgain(workFolder: string): Promise<void> {
  await sweepCandidates(workFolder, 'others').then(
    (left) => (left > 0 ? log.info({ left }, 'candidates.swept') : undefined),
    (error: unknown) => log.warn({ error: nameOf(error) }, 'candidates.unswept'),
  );
}

function portsOf(config: WorkerConfig, journal: Journal, builder: Builder): WorkerPorts {
  const { edgeControlUrl: controlUrl, edgeControlToken: token } = config;
  return {
    journal,
    evidence: folderStore(config.evidenceFolder),
    edge: localTarget({ controlUrl, token, fetchTimeoutMs: edgeMsMax }),
    routerUrl: config.routerUrl,
    gatePass: gatePassOf(token),
    workFolder: config.workFolder,
    isolated: builder.isolation.way === 'none' ? null : isolatedChild(builder.isolation, config.workFolder),
    builder,
    builds: openBuildQueue(config.buildsMax),
    prometheus: new Map([...config.prometheus].map(([name, place]) => [name, openPrometheus(place)])),
    clock,
    drawId: randomUUID,
    fault: config.fault === null ? noFault : faultAt(config.fault.point, config.fault.onceFile),
    log,
  };
}

function leaders(
  config: WorkerConfig,
  parts: { ports: WorkerPorts; journal: Journal; vitals: Vitals; signal: AbortSignal; onError: (error: Error) => void },
): readonly Promise<void>[] {
  const { ports, journal, vitals, signal, onError } = parts;
  const pump = once(async () => await openPump({ url: config.pumpUrl, onError }));
  const client = once(async () => await connectClient(config.temporalAddress, config.temporalNamespace));
  const starter = openStarter(client);
  const leading = {
    pump,
    clock,
    log,
    signal,
    leads: (name: string, leads: boolean) => void vitals.leads.set(name, leads),
  };
  const collect = evidenceCollector({ journal, evidence: folderStore(config.evidenceFolder), clock, log });
  const watch = watchKeeper({ schedules: openWatchSchedules(client), clock, log });
  const works = [
    wakerWork({ starter, clock, log, fault: ports.fault }),
    sequencerWork(),
    reconcilerWork({ journal, starter, clock, log, collect, watch }),
    courierWork({ journal, rules: { reach: config.webhookReach }, clock, log, random: Math.random }),
  ];
  return works.map(async (work) => await leadForever(leading, work));
}

function wordsFor(error: unknown): string {
  if (error instanceof JournalFailure && error.code === 'vault_unreadable')
    return 'expected the key in PROVISO_VAULT_KEY that this database was sealed with, got another';
  return error instanceof Error ? error.message : nameOf(error);
}

const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    if (stopping.signal.aborted) return;
    log.info({ signal: name }, 'worker.stopping');
    stopping.abort();
    setTimeout(() => process.exit(0), stopMsMax - 500).unref();
  });
}

try {
  await run(readConfig(process.env), stopping.signal);
  log.info({}, 'worker.stopped');
  process.exit(0);
} catch (error) {
  if (stopping.signal.aborted) process.exit(0);
  // Only what a person can mend comes here: a wrong setting, a role that could do too much, or our own bug.
  log.fatal({ error: wordsFor(error) }, 'worker.failed');
  process.exit(1);
}
