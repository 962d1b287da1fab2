import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  type EdgeLog,
  type EdgeReport,
  type LaneReport,
  openEdgeFeed,
  openStateFile,
  openSupervisor,
  openTrials,
  type ReleaseReport,
  type StateFile,
  type Supervisor,
  type Trials,
} from '@proviso/targets';
import type { Isolation } from '@proviso/isolation';
import type { EdgeConfig } from './config.ts';
import { type ControlDesk, openControl } from './control.ts';
import { lockFolder } from './folder-lock.ts';
import { type LaneTable, openLaneTable, type ServedLane } from './lane-table.ts';
import { metricsOf } from './metrics.ts';
import { type Poll, startPoll } from './poll.ts';
import { openReportReceiver } from './report-receiver.ts';
import { openRouter } from './router.ts';
import { type Heard, openStagingDoor } from './staging-door.ts';

/** A running edge. */
export interface Edge {
  readonly port: number;
  readonly controlPort: number;
  /** Stops everything; no process is left unless the config keeps releases. */
  readonly close: () => Promise<void>;
}

/** What differs from start to start. */
export interface EdgeStart {
  readonly config: EdgeConfig;
  readonly edge: string;
  readonly boot: string;
  readonly isolation: Isolation;
  readonly pid: number;
  readonly nowMs: () => number;
  readonly wallClock: () => Date;
  readonly log: EdgeLog;
  /** The variables of this process, among which lanes may refer to some. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A port is taken; the message names the variable that moves it. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

// Often enough that a lapsed lease or trial is noticed without a visitor.
const TICK_MS = 250;
// What is still on its way when an edge stops gets this long.
const CLOSE_WITHIN_MS = 1_000;
// What tools say when they fail may be long, and what is reported has a bound.
const WHY_LENGTH_MAX = 1_000;

interface Parts {
  readonly start: EdgeStart;
  readonly state: StateFile;
  readonly table: LaneTable;
  supervisor: Supervisor | null;
  trials: Trials | null;
  poll: Poll | null;
  /** Whom the newest orders shut out of previews. */
  shutOut: ReadonlySet<string>;
}

/**
 * Starts an edge: the lock, then the ports, and only then processes, so that a start that cannot succeed starts nothing.
 * If we die anywhere the next start finds all in the state file.
 */
export async function openEdge(start: EdgeStart): Promise<Edge> {
  const { config, log } = start;
  const lock = lockFolder(config.dataFolder, start.pid);
  const parts = openParts(start);
  let desk: ControlDesk | null = null;
  const control = openControl({ token: config.controlToken, desk: () => desk });
  const router = openRouter({
    table: parts.table,
    endpoint: (place, release) => parts.supervisor?.endpoint(place, release) ?? null,
    isStarting: (place, release) => isStarting(parts.supervisor?.reports(place) ?? null, release),
    findTrial: (id) => parts.trials?.find(id) ?? null,
    stagingDoor: openStagingDoor({ ...config, wallClock: start.wallClock, heard: () => heardBy(parts) }),
  });
  try {
    await listen(control, {
      host: config.controlHost,
      port: config.controlPort,
      variable: 'PROVISO_EDGE_CONTROL_PORT',
    });
    await listen(router, { host: config.host, port: config.port, variable: 'PROVISO_EDGE_PORT' });
  } catch (error) {
    control.close();
    lock.release();
    throw error;
  }
  const running = startParts(parts);
  desk = deskOf(parts, running, router);
  const tick = setInterval(() => {
    for (const lane of parts.table.lanes()) parts.table.servedShare(lane);
    running.trials.expire().catch((error: unknown) => log('error', 'trial.stop_failed', { error: String(error) }));
  }, TICK_MS);
  log('info', 'edge.started', { port: portOf(router), controlPort: portOf(control), boot: start.boot });
  const close = async (): Promise<void> => {
    clearInterval(tick);
    await running.poll.stop();
    // New visitors are refused first, then processes end, then what is left of the sockets.
    const closed = [closeServer(router), closeServer(control)];
    await running.supervisor.close({ keepReleases: config.keepReleases });
    await Promise.all(closed);
    lock.release();
    log('info', 'edge.stopped', {});
  };
  return { port: portOf(router), controlPort: portOf(control), close };
}

function openParts(start: EdgeStart): Parts {
  const { config, log, boot, nowMs, wallClock } = start;
  const state = openStateFile(join(config.dataFolder, 'state.json'));
  if (state.fault !== null) log('error', 'state.unreadable', { error: state.fault });
  const isReady = (lane: string, release: string): boolean =>
    (parts.supervisor?.endpoint(lane, release) ?? null) !== null;
  const table = openLaneTable({ boot, nowMs, wallClock, log, isReady });
  const parts: Parts = { start, state, table, supervisor: null, trials: null, poll: null, shutOut: new Set() };
  const remembered = state.orders();
  // A lease does not outlive its edge: what was shared is parked until the API speaks.
  if (remembered !== null) table.apply(remembered, Number.NEGATIVE_INFINITY);
  return parts;
}

/** What the API has said about people, and how long ago. */
function heardBy({ poll, start, shutOut }: Parts): Heard | null {
  const lastMs = poll?.lastAnswerMs() ?? null;
  return lastMs === null ? null : { shutOut, ageMs: start.nowMs() - lastMs };
}

/** Without a supervisor the edge itself is starting, and its releases with it. */
function isStarting(reports: readonly ReleaseReport[] | null, release: string): boolean {
  const state = reports?.find((report) => report.release === release)?.state;
  return reports === null || state === 'fetching' || state === 'starting';
}

interface Running {
  readonly supervisor: Supervisor;
  readonly trials: Trials;
  readonly poll: Poll;
}

function startParts(parts: Parts): Running {
  const { start, state, table } = parts;
  const { config, log, nowMs } = start;
  const feed = openEdgeFeed({ apiUrl: config.apiUrl, token: config.apiToken });
  const { secretPrefix: prefix, secretFolder } = config;
  const supervisor = openSupervisor({
    folder: join(config.dataFolder, 'releases'),
    blobs: feed.blobs,
    isolation: start.isolation,
    state,
    log,
    secretPlaces: { environment: start.environment, prefix, folder: secretFolder },
    receive: openReportReceiver({ table, nowMs }),
  });
  const trials = openTrials({ supervisor, nowMs });
  Object.assign(parts, { supervisor, trials });
  const poll = startPoll({
    feed,
    everyMs: config.pollMs,
    nowMs,
    log,
    report: () => reportOf(parts),
    apply: (orders, sentMs) => {
      table.apply(orders, sentMs);
      parts.shutOut = new Set(orders.shutOut);
      const lanes = table.orders();
      state.saveOrders({ incarnation: orders.incarnation, lanes });
      supervisor.converge(lanes);
    },
  });
  parts.poll = poll;
  return { supervisor, trials, poll };
}

function reportOf(parts: Parts): EdgeReport {
  const lanes = parts.table.lanes().map((lane) => laneReportOf(parts, lane));
  const { edge, boot, isolation } = parts.start;
  const { way, limits, why } = isolation;
  return { edge, boot, isolation: { way, limits, why: why.slice(0, WHY_LENGTH_MAX) }, lanes };
}

function laneReportOf({ table, supervisor }: Parts, lane: ServedLane): LaneReport {
  return {
    lane: lane.order.lane,
    fence: lane.order.fence,
    weightServedPercent: table.servedShare(lane) * 100,
    parked: table.isParked(lane),
    releases: supervisor?.reports(lane.order.lane) ?? [],
    ...(lane.ignoredFence && { ignoredFence: lane.ignoredFence }),
  };
}

function deskOf(parts: Parts, running: Running, router: Server): ControlDesk {
  const { table, start } = parts;
  const routerUrl = (): string => `http://${start.config.host}:${portOf(router)}`;
  const lanes = (): readonly LaneReport[] => table.lanes().map((lane) => laneReportOf(parts, lane));
  const find = <Result>(name: string, read: (lane: ServedLane) => Result): Result | null => {
    const lane = table.get(name);
    return lane === null ? null : read(lane);
  };
  return {
    summary: () => {
      const answeredMs = running.poll.lastAnswerMs();
      const ordersAgeMs = answeredMs === null ? null : Math.round(start.nowMs() - answeredMs);
      return { ...reportOf(parts), routerUrl: routerUrl(), ordersAgeMs, trials: running.trials.list() };
    },
    lanes,
    lane: (name) => find(name, (lane) => laneReportOf(parts, lane)),
    running: (name) =>
      find(name, async (lane) => ({
        ...laneReportOf(parts, lane),
        releases: await running.supervisor.inspect(lane.order.lane),
      })),
    counts: (name) => find(name, (lane) => table.countsOf(lane)),
    metrics: () =>
      metricsOf(
        table.lanes().map((lane) => ({
          counts: table.countsOf(lane),
          leaseRemainingMs: table.leaseRemainingMs(lane),
          releasesReady: running.supervisor.reports(lane.order.lane).filter((report) => report.state === 'ready')
            .length,
        })),
      ),
    trials: running.trials,
    routerUrl,
  };
}

function listen(server: Server, place: { host: string; port: number; variable: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const { host, port, variable } = place;
      const taken = `${variable}: expected port ${port} of ${host} to be free, got ${error.code ?? error.message}`;
      reject(new PortTaken(taken, { cause: error }));
    });
    server.listen(place.port, place.host, () => resolve());
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS).unref();
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
