import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { type BlobSource, removeTree } from './artifact.ts';
import { messageOf } from './failure.ts';
import type { EdgeLog, Endpoint, KeeperDuty } from './keeping.ts';
import type { LaneConfiguration, LaneOrder, ReleaseOrder, ReleaseReport, TrialOrder } from './protocol.ts';
import { environmentOf, noConfiguration } from './release-environment.ts';
import { keepRelease, type ReleaseKeeper } from './release-keeper.ts';
import type { Isolation } from '@proviso/isolation';
import { endRun } from './release-run.ts';
import { noSecretPlaces, type SecretPlaces } from './secret-source.ts';
import type { RunRecord, StateFile } from './state-file.ts';

/** Owns every release process of one edge and makes them what is ordered. */
export interface Supervisor {
  /** Starts what is ordered and stops what is not; returns at once, the rest happens behind it. */
  readonly converge: (orders: readonly LaneOrder[]) => void;
  /** Starts or renews a single release outside any lane, for an evaluation. */
  readonly tryOut: (place: string, order: TrialOrder) => void;
  /** Ends such a release; settles when its processes are gone. */
  readonly giveUp: (place: string) => Promise<void>;
  readonly endpoint: (place: string, release: string) => Endpoint | null;
  readonly reports: (place: string) => readonly ReleaseReport[];
  /** Reports whose tree digests are computed from the disk now. */
  readonly inspect: (place: string) => Promise<readonly ReleaseReport[]>;
  /** Ends every process, or with `keepReleases` leaves them for the next edge to adopt. */
  readonly close: (options: { keepReleases: boolean }) => Promise<void>;
}

/** What a supervisor is given. The folder belongs to it alone. */
export interface SupervisorOptions {
  readonly folder: string;
  readonly blobs: BlobSource;
  readonly isolation: Isolation;
  readonly state: StateFile;
  readonly log: EdgeLog;
  /** Where this edge finds the values of secrets; without it every secret is missing. */
  readonly secretPlaces?: SecretPlaces;
  /** Who takes what a release in a place reports of its answers; without it nobody does. */
  readonly receive?: (place: string, release: string) => RequestListener;
}

// How long requests and sockets on their way may take before their process is ended: a model's answer takes that long,
// and a release that was taken back must not be met much longer.
const DRAIN_MS = 30_000;
// At shutdown somebody waits at a keyboard.
const DRAIN_AT_CLOSE_MS = 500;
const ORPHAN_GRACE_MS = 2_000;

interface Kept {
  readonly key: string;
  readonly configuration: LaneConfiguration;
  /** The same release with an older configuration: it serves until this one is ready. */
  before: Kept | null;
  readonly place: string;
  readonly release: string;
  readonly isTrial: boolean;
  readonly keeper: ReleaseKeeper;
}

interface Supervision {
  readonly options: SupervisorOptions;
  lanes: readonly LaneOrder[];
  readonly kept: Map<string, Kept>;
  /** The same by place and release, since every request asks. */
  readonly byPlace: Map<string, Map<string, Kept>>;
  /** Keepers that are ending: a new keeper of the same folder waits for the old one. */
  readonly ending: Map<string, Promise<void>>;
  /** Markers of an earlier edge's processes that a keeper has taken over; the others are orphans. */
  readonly claimed: Set<string>;
  /** The same keepers, to be hurried when the edge stops. */
  readonly leaving: Set<ReleaseKeeper>;
  closed: boolean;
}

/**
 * Opens the supervisor on what an earlier edge left: living processes that the remembered orders want are adopted by
 * pid and start time and never notice, everything else is ended and its folder removed.
 */
export function openSupervisor(options: SupervisorOptions): Supervisor {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const supervision: Supervision = {
    options,
    lanes: [],
    kept: new Map(),
    byPlace: new Map(),
    ending: new Map(),
    claimed: new Set(),
    leaving: new Set(),
    closed: false,
  };
  converge(supervision, options.state.orders()?.lanes ?? []);
  endOrphans(supervision);
  return {
    converge: (orders) => converge(supervision, orders),
    tryOut: (place, order) => tryOut(supervision, place, order),
    giveUp: async (place) => {
      const found = [...supervision.kept].filter(([, kept]) => kept.place === place);
      await Promise.all(found.map(([key]) => stop(supervision, key)));
    },
    endpoint: (place, release) => endpointOf(supervision, place, release),
    reports: (place) => keptAt(supervision, place).map((kept) => reportOf(kept, servingOf(kept).keeper.report())),
    inspect: (place) =>
      Promise.all(
        keptAt(supervision, place).map(async (kept) => reportOf(kept, await servingOf(kept).keeper.inspect())),
      ),
    close: ({ keepReleases }) => close(supervision, keepReleases),
  };
}

/** A trial keeps the configuration with which it began: what is being judged must not change under the judge. */
function tryOut(supervision: Supervision, place: string, order: TrialOrder): void {
  const begun = supervision.byPlace.get(place)?.get(order.release);
  const lane = supervision.lanes.find((one) => one.lane === order.lane);
  const configuration = begun?.configuration ?? lane?.configuration ?? noConfiguration;
  const owner = lane?.lane ?? place;
  ensure(supervision, { place, owner, configuration, order, duty: 'trying', fence: '', isTrial: true });
}

function converge(supervision: Supervision, lanes: readonly LaneOrder[]): void {
  supervision.lanes = lanes;
  const wanted = new Set<string>();
  for (const lane of lanes) {
    const fence = `${lane.fence.incarnation}.${lane.fence.counter}`;
    const configuration = lane.configuration ?? noConfiguration;
    for (const { order, duty } of releasesOf(lane)) {
      wanted.add(keyOf(lane.lane, order, configuration));
      ensure(supervision, { place: lane.lane, owner: lane.lane, configuration, order, duty, fence, isTrial: false });
    }
  }
  if (supervision.closed) return;
  for (const [key, kept] of supervision.kept) {
    if (!kept.isTrial && !wanted.has(key) && !isNeeded(supervision, kept, wanted)) void stop(supervision, key);
  }
}

/** Users stay where they are until the same release with its new configuration can take them over. */
function isNeeded({ byPlace }: Supervision, kept: Kept, wanted: ReadonlySet<string>): boolean {
  const newest = byPlace.get(kept.place)?.get(kept.release);
  return newest !== undefined && wanted.has(newest.key) && newest !== kept && servingOf(newest) === kept;
}

/** Whoever can take users now: itself, or the one before it while it cannot. */
function servingOf(kept: Kept): Kept {
  const { before } = kept;
  return before !== null && kept.keeper.endpoint() === null && before.keeper.endpoint() !== null ? before : kept;
}

function reportOf(kept: Kept, served: ReleaseReport): ReleaseReport {
  if (servingOf(kept) === kept) return served;
  const { state, reason } = kept.keeper.report();
  const rotation = { configurationRevision: kept.configuration.revision, state, ...(reason && { reason }) };
  return { ...served, rotation };
}

function releasesOf(lane: LaneOrder): readonly { order: ReleaseOrder; duty: KeeperDuty }[] {
  const { stable, canary } = lane;
  const found: { order: ReleaseOrder; duty: KeeperDuty }[] = [];
  if (stable !== null) found.push({ order: stable, duty: 'serving' });
  // The same release may be named twice while a canary becomes stable: it is one process.
  if (canary !== null && canary.release !== stable?.release) {
    found.push({ order: canary, duty: lane.weightPercent === 100 ? 'serving' : 'trying' });
  }
  return found;
}

function ensure(
  supervision: Supervision,
  wish: {
    place: string;
    /** The lane whose secrets it gets. */
    owner: string;
    configuration: LaneConfiguration;
    order: ReleaseOrder;
    duty: KeeperDuty;
    fence: string;
    isTrial: boolean;
  },
): void {
  const { place, owner, configuration, order, duty, fence, isTrial } = wish;
  if (supervision.closed) return;
  const key = keyOf(place, order, configuration);
  const known = supervision.kept.get(key);
  if (known !== undefined) return known.keeper.update({ order, duty, fence });
  const { options, claimed, ending } = supervision;
  // Only the first keeper of a folder can find a run that is not its own.
  const adopt = ending.has(key) ? null : (options.state.runs().find((run) => run.key === key) ?? null);
  if (adopt !== null) claimed.add(adopt.marker);
  const folder = join(options.folder, key);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const keeper = keepRelease({
    key,
    folder,
    order,
    duty,
    fence,
    blobs: options.blobs,
    isolation: options.isolation,
    configurationRevision: configuration.revision,
    environment: (contract) => {
      const { secretPlaces: places = noSecretPlaces } = options;
      return environmentOf({ lane: owner, configuration, contract }, { places, lanes: supervision.lanes });
    },
    receive: options.receive?.(place, order.release) ?? null,
    adopt,
    after: ending.get(key) ?? Promise.resolve(),
    saveRun: options.state.saveRun,
    dropRun: options.state.dropRun,
    log: options.log,
  });
  const there = supervision.byPlace.get(place) ?? new Map<string, Kept>();
  const last = there.get(order.release);
  const before = last === undefined ? null : servingOf(last);
  const kept: Kept = { key, place, configuration, before, release: order.release, isTrial, keeper };
  supervision.kept.set(key, kept);
  supervision.byPlace.set(place, there.set(order.release, kept));
}

function stop(supervision: Supervision, key: string): Promise<void> {
  const kept = supervision.kept.get(key);
  if (kept === undefined) return Promise.resolve();
  supervision.kept.delete(key);
  forgetPlace(supervision, kept);
  const { log, folder } = supervision.options;
  const before = supervision.ending.get(key);
  const ending = (async () => {
    await before;
    supervision.leaving.add(kept.keeper);
    await kept.keeper.stop(supervision.closed ? DRAIN_AT_CLOSE_MS : DRAIN_MS);
    await removeFolder(join(folder, key));
  })()
    .catch((error: unknown) => log('error', 'release.stop_failed', { release: kept.release, error: messageOf(error) }))
    .finally(() => {
      supervision.leaving.delete(kept.keeper);
      if (supervision.ending.get(key) === ending) supervision.ending.delete(key);
    });
  supervision.ending.set(key, ending);
  return ending;
}

async function close(supervision: Supervision, keepReleases: boolean): Promise<void> {
  supervision.closed = true;
  const keepers = [...supervision.kept.values()].map((kept) => kept.keeper);
  // The folders stay: the next start may find no API to fetch from.
  await Promise.allSettled(keepers.map((keeper) => (keepReleases ? keeper.abandon() : keeper.stop(DRAIN_AT_CLOSE_MS))));
  for (const keeper of supervision.leaving) void keeper.stop(DRAIN_AT_CLOSE_MS).catch(() => undefined);
  await Promise.allSettled(supervision.ending.values());
}

function endOrphans(supervision: Supervision): void {
  const { options, kept, claimed, ending } = supervision;
  const orphans = options.state.runs().filter((run) => !claimed.has(run.marker));
  const keys = new Set([...orphans.map((run) => run.key), ...readdirSync(options.folder)]);
  for (const key of keys) {
    const runs = orphans.filter((run) => run.key === key);
    if (kept.has(key) && runs.length === 0) continue;
    const end = endRuns(supervision, runs)
      .then(() => (supervision.kept.has(key) ? undefined : removeFolder(join(options.folder, key))))
      .catch((error: unknown) => options.log('error', 'orphan.stop_failed', { error: messageOf(error) }))
      .finally(() => ending.delete(key));
    ending.set(key, end);
  }
}

async function endRuns(supervision: Supervision, runs: readonly RunRecord[]): Promise<void> {
  for (const run of runs) {
    supervision.options.log('info', 'orphan.ended', { pid: run.pid });
    await endRun(run, ORPHAN_GRACE_MS);
    supervision.options.state.dropRun(run.marker);
  }
}

async function removeFolder(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  await removeTree(join(folder, 'tree'));
  await removeTree(join(folder, 'tree.unpacking'));
  await rm(folder, { recursive: true, force: true });
}

function keptAt(supervision: Supervision, place: string): readonly Kept[] {
  return [...(supervision.byPlace.get(place)?.values() ?? [])];
}

function endpointOf(supervision: Supervision, place: string, release: string): Endpoint | null {
  const kept = supervision.byPlace.get(place)?.get(release);
  return kept === undefined ? null : (kept.keeper.endpoint() ?? kept.before?.keeper.endpoint() ?? null);
}

function forgetPlace({ byPlace }: Supervision, kept: Kept): void {
  const there = byPlace.get(kept.place);
  const newest = there?.get(kept.release);
  if (newest?.before === kept) newest.before = null;
  // A newer keeper of the same release may have taken its place already.
  if (newest === kept) there?.delete(kept.release);
  if (there?.size === 0) byPlace.delete(kept.place);
}

// Ids come from outside and may hold anything; a hash of them is always a safe folder name.
function keyOf(place: string, order: ReleaseOrder, { revision }: LaneConfiguration): string {
  // A lane that nobody has configured has the names of before, so that an edge of then is taken over from.
  const configured = revision === 0 ? '' : `\n${revision}`;
  const text = `${place}\n${order.release}\n${order.artifactDigest}${configured}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
