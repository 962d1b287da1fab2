import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hashTree, unpackArtifact } from './artifact.ts';
import { messageOf, TargetFailure } from './failure.ts';
import {
  type Endpoint,
  endpointOf,
  newEndpoint,
  type KeeperDuty,
  type KeeperOptions,
  type Keeping,
  reportOf,
  settle,
  tellable,
} from './keeping.ts';
import { openOutputLog } from './output-log.ts';
import type { ArtifactDigest, ReleaseOrder, ReleaseReport } from './protocol.ts';
import { adoptRun, endRun, nameRun, type ReleaseRun, startRun } from './release-run.ts';
import { type RunEnd, watchRun } from './run-watch.ts';
import type { RunRecord } from './state-file.ts';
import { openStaticUpstream } from './static-upstream.ts';
import { openUpstream, type Upstream } from './upstream.ts';
import { formsOf } from './withholding.ts';

/** Keeps one release running as ordered, until it is stopped. */
export interface ReleaseKeeper {
  readonly report: () => ReleaseReport;
  /** The same with the files hashed again now, so that it says what runs and not what was once started. */
  readonly inspect: () => Promise<ReleaseReport>;
  /** Null whenever the release should not get traffic. */
  readonly endpoint: () => Endpoint | null;
  /** A new order, duty or fence also wakes a keeper that has given up. */
  readonly update: (change: { order: ReleaseOrder; duty: KeeperDuty; fence: string }) => void;
  /**
   * Takes no new traffic, lets what is running finish within `drainMs`, and returns when no process is left. Said again,
   * the shorter time holds.
   */
  readonly stop: (drainMs: number) => Promise<void>;
  /** Lets go without touching the process, for an edge that is to be replaced. */
  readonly abandon: () => Promise<void>;
}

// A release that fails this often in a row without ever staying up will not be better the next time.
const STARTS_MAX = 4;
const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 10_000;
// Having been up this long makes an exit a first failure again.
const STEADY_MS = 60_000;
/** How long SIGTERM may take before SIGKILL. */
const STOP_GRACE_MS = 3_000;

/** Starts keeping; everything after happens in one loop, so no two starts of a release ever overlap. */
export function keepRelease(options: KeeperOptions): ReleaseKeeper {
  const keeping: Keeping = {
    options,
    output: openOutputLog(join(options.folder, 'output.log'), (text) => tellable(keeping, text)),
    stopping: new AbortController(),
    order: options.order,
    duty: options.duty,
    fence: options.fence,
    state: options.adopt === null ? 'fetching' : 'starting',
    reason: undefined,
    detail: undefined,
    treeDigest: undefined,
    withheld: [],
    isUnsure: false,
    run: null,
    egress: new Map(),
    restarts: 0,
    final: false,
    abandoned: false,
    drained: new AbortController(),
    wake: () => undefined,
  };
  const ended = options.after.then(() => keep(keeping));
  // Without this a failed stop that nobody awaits yet would end the edge.
  ended.catch((error: unknown) =>
    options.log('error', 'release.lost', { release: options.order.release, error: messageOf(error) }),
  );
  const finish = async (): Promise<void> => {
    keeping.state = 'stopped';
    keeping.stopping.abort();
    keeping.wake();
    await ended;
  };
  return {
    report: () => reportOf(keeping),
    inspect: async () => {
      const treeDigest = await treeDigestOf(keeping);
      if (treeDigest !== null) keeping.treeDigest = treeDigest;
      return reportOf(keeping);
    },
    endpoint: () => endpointOf(keeping),
    update: (change) => {
      const { order, duty, fence } = keeping;
      const before = JSON.stringify({ order, duty, fence });
      Object.assign(keeping, change);
      if (JSON.stringify(change) !== before) keeping.wake();
    },
    stop: async (drainMs) => {
      const late = setTimeout(() => keeping.drained.abort(), drainMs);
      await finish().finally(() => clearTimeout(late));
    },
    abandon: () => {
      keeping.abandoned = true;
      return finish();
    },
  };
}

/** The whole life of a release on this edge. */
async function keep(keeping: Keeping): Promise<void> {
  const { stopping, options } = keeping;
  let failures = 0;
  let adopted = options.adopt === null ? null : await adopt(keeping, options.adopt);
  // What was adopted while a stop came is run all the same: it ends at once there, as every other run does.
  while (adopted !== null || !stopping.signal.aborted) {
    if (adopted === null && !mayRun(keeping)) {
      settle(
        keeping,
        'refused',
        'not_isolated',
        `this machine cannot keep the prototype from everything else; ${options.isolation.why}`,
      );
      await untilChanged(keeping);
      continue;
    }
    const startedMs = performance.now();
    const end = isStatic(keeping) ? await serveFiles(keeping) : await runOnce(keeping, adopted);
    adopted = null;
    if (stopping.signal.aborted) break;
    failures = performance.now() - startedMs > STEADY_MS ? 1 : failures + 1;
    settle(keeping, end.state, end.reason, end.detail);
    const hopeless =
      end.state === 'refused' || (failures >= STARTS_MAX && keeping.duty === 'trying' && !isElsewhere(end));
    if (hopeless) {
      keeping.final = true;
      await untilChanged(keeping);
      failures = 0;
      keeping.final = false;
    } else {
      await pauseUnlessStopped(keeping, Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (failures - 1)));
    }
    if (!isElsewhere(end)) keeping.restarts += 1;
  }
  settle(keeping, 'stopped');
}

/** Nothing was started: the cause is mended elsewhere, and then the next try succeeds. */
function isElsewhere({ reason }: RunEnd): boolean {
  return reason === 'fetch_failed' || isSecretFault(reason);
}

function isSecretFault(reason: string | undefined): reason is 'secret_missing' | 'secret_unreadable' | 'secret_shared' {
  return reason === 'secret_missing' || reason === 'secret_unreadable' || reason === 'secret_shared';
}

/** A folder of files runs nothing; anything else runs isolated, or trusted where nothing can be isolated. */
function mayRun(keeping: Keeping): boolean {
  return isStatic(keeping) || keeping.options.isolation.way !== 'none' || keeping.order.trusted;
}

/** A run with the record by which the next edge finds it. */
interface Started {
  readonly run: ReleaseRun;
  readonly record: RunRecord;
}

async function adopt(keeping: Keeping, record: RunRecord): Promise<Started | null> {
  const { options, order, egress } = keeping;
  const digest = await treeDigestOf(keeping);
  const plan = { contract: order.contract, egress, receive: options.receive };
  const run = digest === order.artifactDigest ? await adoptRun(record, plan) : null;
  if (run !== null && digest !== null) {
    keeping.treeDigest = digest;
    await beUnsure(keeping);
    const { pid } = run.process;
    options.log('info', 'release.adopted', { release: order.release, pid, port: record.port });
    return { run, record };
  }
  // Not alive, or its files are no longer what was approved: it is started anew from verified files.
  await endRun(record, STOP_GRACE_MS);
  options.dropRun(record.marker);
  return null;
}

/** What an adopted process was given then, nobody has kept: it is most likely what lies there now. */
async function beUnsure(keeping: Keeping): Promise<void> {
  const { contract } = keeping.order;
  if (contract.secrets === undefined) return;
  keeping.isUnsure = true;
  const read = await keeping.options.environment(contract).catch(() => null);
  keeping.withheld = formsOf(read?.withheld ?? []);
}

async function treeDigestOf(keeping: Keeping): Promise<ArtifactDigest | null> {
  const folder = join(keeping.options.folder, 'tree');
  const manifest = await readFile(`${folder}.manifest.json`, 'utf8').catch(() => null);
  return manifest === null ? null : hashTree(manifest, folder).catch(() => null);
}

async function runOnce(keeping: Keeping, adopted: Started | null): Promise<RunEnd> {
  let started: Started;
  try {
    started = adopted ?? (await launch(keeping));
  } catch (error) {
    return endOf(error);
  }
  const { run, record } = started;
  const upstream = openUpstream(run.address);
  const process = { pid: run.process.pid, port: record.port, isolation: record.way };
  keeping.run = { endpoint: newEndpoint(keeping, upstream), process };
  const end = await watchRun(keeping, run);
  if (!keeping.abandoned) {
    if (!keeping.stopping.signal.aborted) settle(keeping, end.state, end.reason, end.detail);
    else await drain(keeping, upstream);
    // Before the process ends: who is still talking with it hears a goodbye and not a broken line.
    await upstream.destroy();
    await endRun(record, STOP_GRACE_MS);
    keeping.options.dropRun(record.marker);
  }
  keeping.run = null;
  await Promise.all([upstream.destroy(), run.letGo()]);
  return end;
}

/** A run without a process: ready as soon as its verified files lie there, until it is to be stopped. */
async function serveFiles(keeping: Keeping): Promise<RunEnd> {
  let upstream: Upstream;
  try {
    const { root = '.', fallback = true } = keeping.order.contract;
    upstream = await openStaticUpstream(await fetchTree(keeping), { root, fallback });
  } catch (error) {
    return endOf(error);
  }
  keeping.run = { endpoint: newEndpoint(keeping, upstream), process: null };
  settle(keeping, 'ready');
  while (!keeping.stopping.signal.aborted) await untilChanged(keeping);
  if (!keeping.abandoned) await drain(keeping, upstream);
  keeping.run = null;
  await upstream.destroy();
  return { state: 'stopped' };
}

/** What is on its way may finish; whatever stays longer than the bound is ended by the caller. */
async function drain(keeping: Keeping, upstream: Upstream): Promise<void> {
  const { signal } = keeping.drained;
  const late = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  if (!signal.aborted) await Promise.race([upstream.close(), late]);
}

function isStatic(keeping: Keeping): boolean {
  return keeping.order.contract.kind === 'static';
}

async function fetchTree(keeping: Keeping): Promise<string> {
  const { options, order } = keeping;
  const folder = join(options.folder, 'tree');
  keeping.state = 'fetching';
  keeping.treeDigest = await unpackArtifact({
    digest: order.artifactDigest,
    folder,
    blobs: (digest) => {
      // A stop must not wait for a long fetch.
      keeping.stopping.signal.throwIfAborted();
      return options.blobs(digest);
    },
  });
  keeping.stopping.signal.throwIfAborted();
  return folder;
}

async function launch(keeping: Keeping): Promise<Started> {
  const { options, order, egress } = keeping;
  const folder = await fetchTree(keeping);
  keeping.state = 'starting';
  const { variables, withheld } = await options.environment(order.contract);
  Object.assign(keeping, { withheld: formsOf(withheld), isUnsure: false });
  const contract = { ...order.contract, environment: { ...order.contract.environment, ...variables } };
  const logPath = join(options.folder, 'output.log');
  await rm(logPath, { force: true });
  const named = await nameRun(options.key, options.isolation);
  options.saveRun(named);
  const temporaryFolder = join(options.folder, 'tmp');
  const { isolation, receive } = options;
  const plan = { contract, folder, temporaryFolder, logPath, isolation, egress, receive };
  const run = await startRun(named, plan).catch(async (error: unknown) => {
    await endRun(named, 0);
    options.dropRun(named.marker);
    throw error;
  });
  const { pid, identity } = run.process;
  const record = { ...named, pid, identity };
  options.saveRun(record);
  options.log('info', 'release.started', { release: order.release, pid, port: record.port });
  return { run, record };
}

function endOf(error: unknown): RunEnd {
  const detail = messageOf(error);
  if (error instanceof TargetFailure && (error.code === 'digest_mismatch' || error.code === 'bad_manifest')) {
    return { state: 'refused', reason: error.code, detail };
  }
  if (error instanceof TargetFailure && isSecretFault(error.code))
    return { state: 'exited', reason: error.code, detail };
  if (error instanceof TargetFailure && error.code === 'start_failed')
    return { state: 'exited', reason: 'start_failed', detail };
  return { state: 'fetching', reason: 'fetch_failed', detail };
}

async function untilChanged(keeping: Keeping): Promise<void> {
  if (keeping.stopping.signal.aborted) return;
  await new Promise<void>((resolve) => {
    keeping.wake = resolve;
  });
}

async function pauseUnlessStopped(keeping: Keeping, durationMs: number): Promise<void> {
  const { signal } = keeping.stopping;
  await pause(durationMs, undefined, { signal, ref: false }).catch(() => undefined);
}
