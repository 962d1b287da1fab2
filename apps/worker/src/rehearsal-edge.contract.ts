import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { LaneState, WorkspaceId } from '@proviso/domain';
import type { Journal } from '@proviso/journal';
import type { LaneCounts, ReleaseReport } from '@proviso/targets';

/** How an artifact behaves here: what its edge reports, how it answers, and how many of its visitors meet an error. */
export interface Behaviour {
  readonly report?: Partial<ReleaseReport>;
  /** What is reported of it in a lane only, and not in a trial. */
  readonly laneReport?: Partial<ReleaseReport>;
  readonly answer?: (path: string) => { status: number; body: string };
  readonly badShare?: number;
  /** How long each answer takes. */
  readonly answerAfterMs?: number;
}

/** An edge that speaks the control protocol and the router's HTTP, without processes: it serves what the journal says. */
export interface RehearsalEdge {
  readonly controlUrl: string;
  readonly routerUrl: string;
  readonly behave: (artifact: string, behaviour: Behaviour) => void;
  /** Visitors that come between two readings of the counts. */
  visitorsPerLook: number;
  /** While true every control call breaks off, as from an edge that was killed. */
  away: boolean;
  /** Grows with each start of the edge. */
  boots: number;
  readonly trials: () => readonly string[];
  readonly close: () => Promise<void>;
}

type Arm = Pick<LaneCounts['canary'], 'requests' | 'units' | 'firstBadUnits' | 'badEvents'>;

interface Tally {
  readonly fence: number;
  readonly canary: Arm;
  readonly stable: Arm;
  readonly turnedAway: number;
}

/** What both of its servers look at. */
interface Inside {
  readonly findLane: (is: (lane: LaneState) => boolean) => Promise<LaneState | undefined>;
  readonly behaviours: Map<string, Behaviour>;
  readonly trials: Map<string, string>;
  readonly tallies: Map<string, Tally>;
  visitorsPerLook: number;
  away: boolean;
  boots: number;
}

/** Opens an edge for one workspace. */
export async function openRehearsalEdge(journal: Journal, workspace: WorkspaceId): Promise<RehearsalEdge> {
  const findLane: Inside['findLane'] = async (is) =>
    (await journal.reads(workspace).lanes({ limit: 100 })).items.map(({ state }) => state).find(is);
  const inside: Inside = {
    ...{ findLane, behaviours: new Map(), trials: new Map(), tallies: new Map() },
    ...{ visitorsPerLook: 200, away: false, boots: 1 },
  };
  const [controlServer, controlUrl] = await listen((request, response) => control(inside, request, response));
  const [routerServer, routerUrl] = await listen((request, response) => route(inside, request, response));
  return {
    ...{ controlUrl, routerUrl },
    behave: (artifact, behaviour) => void inside.behaviours.set(artifact, behaviour),
    get visitorsPerLook() {
      return inside.visitorsPerLook;
    },
    set visitorsPerLook(visitors: number) {
      inside.visitorsPerLook = visitors;
    },
    get away() {
      return inside.away;
    },
    set away(away: boolean) {
      inside.away = away;
    },
    get boots() {
      return inside.boots;
    },
    set boots(boots: number) {
      inside.boots = boots;
    },
    trials: () => [...inside.trials.keys()],
    close: async () => {
      for (const server of [controlServer, routerServer]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

async function listen(handle: Handle): Promise<[Server, string]> {
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
}

async function control(inside: Inside, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (inside.away) return void request.socket.destroy();
  const [, kind, id = '', more] = (request.url ?? '').split('/');
  const text = await textOf(request);
  if (kind === 'trials') return controlTrial(inside, { method: request.method, id, text }, response);
  const lane = await inside.findLane((each) => each.id === decodeURIComponent(id));
  if (lane === undefined) return send(response, 404, { code: 'not_found', message: 'no such lane' });
  if (more === 'counts') return send(response, 200, countsOf(inside, lane));
  const placed = [lane.stable, lane.canary].flatMap((each) => each ?? []);
  const releases = placed.map((each) => reported(inside, each.id, each.artifact));
  const weightServedPercent = shareOf(inside, lane);
  send(response, 200, { lane: lane.id, fence: lane.fence, weightServedPercent, parked: false, releases });
}

function controlTrial(
  inside: Inside,
  { method, id, text }: { method: string | undefined; id: string; text: string },
  response: ServerResponse,
): void {
  const { trials } = inside;
  if (method === 'PUT') trials.set(id, (JSON.parse(text) as { artifactDigest: string }).artifactDigest);
  const artifact = trials.get(id);
  if (artifact === undefined) return send(response, 404, { code: 'not_found', message: 'no such trial' });
  if (method === 'DELETE') trials.delete(id);
  const release = reported(inside, `trial-${id}`, artifact);
  send(response, 200, { id, host: `trial-${id}.localhost`, leaseRemainingMs: 1_000, release });
}

async function route(inside: Inside, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const host = request.headers.host ?? '';
  const trial = /^trial-([a-z0-9-]+)\.localhost$/.exec(host)?.[1];
  const lane = trial === undefined ? await inside.findLane((each) => each.host === host) : undefined;
  const served = lane !== undefined && shareOf(inside, lane) === 100 ? lane.canary : (lane?.stable ?? null);
  const artifact = trial === undefined ? served?.artifact : inside.trials.get(trial);
  if (artifact === undefined) return void response.writeHead(503).end('closed');
  const behaviour = inside.behaviours.get(artifact);
  if (behaviour?.answerAfterMs !== undefined) await pause(behaviour.answerAfterMs);
  const answer = behaviour?.answer ?? ((path) => ({ status: 200, body: `answer of ${path}` }));
  const { status, body } = answer(request.url ?? '/');
  response.writeHead(status).end(body);
}

function reported({ behaviours }: Inside, release: string, artifact: string): ReleaseReport {
  const digest = artifact as ReleaseReport['artifactDigest'];
  const up = { release, artifactDigest: digest, state: 'ready', treeDigest: digest, restarts: 0 } as const;
  const { report, laneReport } = behaviours.get(artifact) ?? {};
  return { ...up, ...report, ...(!release.startsWith('trial-') && laneReport) };
}

function shareOf(inside: Inside, { canary, weight }: LaneState): number {
  return canary !== null && reported(inside, canary.id, canary.artifact).state === 'ready' ? weight : 0;
}

function countsOf(inside: Inside, lane: LaneState): LaneCounts {
  const { fence } = lane;
  const known = inside.tallies.get(lane.id);
  const before = known?.fence === fence.counter ? known : emptyTally(fence.counter);
  const units = inside.visitorsPerLook;
  const share = shareOf(inside, lane);
  const toCanary = Math.round((units * share) / 100);
  const badOf = (artifact: string | undefined): number => inside.behaviours.get(artifact ?? '')?.badShare ?? 0;
  const tally: Tally = {
    fence: fence.counter,
    canary: visited(before.canary, toCanary, badOf(lane.canary?.artifact)),
    stable: visited(before.stable, lane.stable === null ? 0 : units - toCanary, badOf(lane.stable?.artifact)),
    turnedAway: before.turnedAway + (lane.stable === null ? units - toCanary : 0),
  };
  inside.tallies.set(lane.id, tally);
  const quiet = { aborted: 0, latencyHistogram: [0] };
  return {
    ...{
      lane: lane.id,
      boot: `boot-${inside.boots}`,
      fence,
      weightPercent: share,
      parked: false,
      epoch: fence.counter,
    },
    ...{ since: '2026-01-01T00:00:00.000Z', ageMs: 0, latencyBoundsMs: [], saturated: false },
    canary: { ...tally.canary, ...quiet },
    stable: { ...tally.stable, ...quiet },
    turnedAway: tally.turnedAway,
  };
}

function emptyTally(fence: number): Tally {
  const nobody: Arm = { requests: 0, units: 0, firstBadUnits: 0, badEvents: 0 };
  return { fence, canary: nobody, stable: nobody, turnedAway: 0 };
}

function visited(arm: Arm, units: number, badShare: number): Arm {
  const bad = Math.round(units * badShare);
  return {
    requests: arm.requests + units,
    units: arm.units + units,
    firstBadUnits: arm.firstBadUnits + bad,
    badEvents: arm.badEvents + bad,
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
