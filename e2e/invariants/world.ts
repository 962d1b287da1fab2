import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Finding } from './finding.ts';
import { type LaneRow, lanesOf } from './lanes.ts';
import type { Snapshot } from './snapshot.ts';

/** Where to look beside the database. */
export interface WorldOrder {
  readonly databaseUrl: string;
  readonly edge: { readonly url: string; readonly token: string };
  readonly temporal: { readonly address: string; readonly binary: string };
  /** The worker's log, where its reconciler says what it found. */
  readonly workerLog: string;
  /** When something was killed so far, by the wall clock. */
  readonly crashes: () => readonly number[];
}

interface EdgeRelease {
  readonly release: string;
  readonly artifactDigest: string;
  readonly state: string;
  readonly treeDigest?: string;
}

interface EdgeLane {
  readonly lane: string;
  readonly fence: { readonly incarnation: number; readonly counter: number };
  readonly weightServedPercent: number;
  readonly parked: boolean;
  readonly releases: readonly EdgeRelease[];
}

/** What runs, as seen from outside; null where nobody answered. */
export interface World {
  readonly seenAtMs: number;
  readonly lanes: readonly EdgeLane[] | null;
  /** Promotions with a running workflow. */
  readonly running: ReadonlySet<string> | null;
  readonly reconcilerFound: readonly Found[];
  /** The last crash before this look; null while there was none. */
  readonly crashedAtMs: number | null;
}

/** That the reconciler found a promotion and its run to disagree. */
export interface Found {
  readonly atMs: number;
  readonly promotion: string;
}

/** The clocks of database and edge are one machine's; this covers the time between a question and its answer. */
const clockSlackMs = 1_500;
const runningMax = 5_000;
const askMsMax = 10_000;
/** What the reconciler says later than this after a crash comes too late to stand for agreement. */
const saidMsMax = 60_000;

/** Looks at the edge's control port, at Temporal through its own program, and at the reconciler's words. */
export async function readWorld(order: WorldOrder): Promise<World> {
  const seenAtMs = Date.now();
  const crashedAtMs = order.crashes().reduce<number | null>((last, at) => Math.max(last ?? at, at), null);
  const [lanes, running, workerLog] = await Promise.all([
    edgeLanes(order).catch(() => null),
    runningPromotions(order).catch(() => null),
    readFile(order.workerLog, 'utf8').catch(() => ''),
  ]);
  return { seenAtMs, lanes, running, reconcilerFound: foundIn(workerLog), crashedAtMs };
}

/** The reconciler's findings in a worker's log; its other words (that it could not look) say nothing about agreement. */
export function foundIn(workerLog: string): readonly Found[] {
  const lines = workerLog.split('\n').filter((line) => line.includes('"reconciler.found"'));
  return lines.flatMap((line): readonly Found[] => {
    try {
      const { msg, time, promotion } = JSON.parse(line) as { msg: string; time: string; promotion: string };
      return msg === 'reconciler.found' ? [{ atMs: Date.parse(time), promotion }] : [];
    } catch {
      // The last line of a killed worker may be cut off.
      return [];
    }
  });
}

/** I5 at the edge, I7 and I10. */
export function worldFindings(snapshot: Snapshot, world: World): readonly Finding[] {
  const rows = lanesOf(snapshot);
  return [
    ...(world.lanes === null ? [silent('the edge')] : rows.flatMap((row) => edgeFindings(snapshot, world, row))),
    ...(world.running === null ? [silent('Temporal')] : runFindings(snapshot, world)),
  ];
}

function edgeFindings(snapshot: Snapshot, world: World, row: LaneRow): readonly Finding[] {
  const subject = `lane/${row.id}`;
  const served = world.lanes?.find(({ lane }) => lane === row.id);
  if (served === undefined) return [{ invariant: 'I7', subject, detail: 'the edge does not know it' }];
  const share = served.weightServedPercent;
  const between = share > 0 && share < 100;
  const leasedUntil = snapshot.leases.get(row.id) ?? 0;
  if (between && leasedUntil + clockSlackMs < world.seenAtMs) {
    const late = Math.round(world.seenAtMs - leasedUntil);
    return [{ invariant: 'I5', subject, detail: `serves ${share} % ${late} ms after its lease`, lasting: false }];
  }
  if (served.fence.counter > row.fence.counter) {
    return [{ invariant: 'I4', subject, detail: 'the edge serves a fence that was never decided', lasting: false }];
  }
  if (served.fence.counter < row.fence.counter) return [{ invariant: 'I7', subject, detail: 'the edge is behind' }];
  const wanted = served.parked ? 0 : row.weight;
  return [
    ...(share === wanted || row.canary === null
      ? []
      : [disagreement(subject, `serves ${share} %, decided ${wanted} %`)]),
    ...(row.canary === null && share !== 0
      ? [{ invariant: 'I5', subject, detail: `serves ${share} % of no canary` } as const]
      : []),
    ...(row.stable === null ? [] : releaseFindings(subject, row.stable, served)),
    ...(row.canary === null ? [] : treeFindings(subject, row.canary, served)),
  ];
}

function releaseFindings(
  subject: string,
  wanted: NonNullable<LaneRow['stable']>,
  served: EdgeLane,
): readonly Finding[] {
  const running = served.releases.find(({ release, state }) => release === wanted.id && state === 'ready');
  if (running === undefined) return [disagreement(subject, `stable ${wanted.id} is not ready`)];
  return treeFindings(subject, wanted, served);
}

/** I3: what runs is, file by file, what was scanned and approved. */
function treeFindings(subject: string, wanted: NonNullable<LaneRow['stable']>, served: EdgeLane): readonly Finding[] {
  return served.releases
    .filter(({ release, state }) => release === wanted.id && state === 'ready')
    .filter(({ artifactDigest, treeDigest }) => artifactDigest !== wanted.artifact || treeDigest !== wanted.artifact)
    .map(() => ({ invariant: 'I3', subject, detail: `${wanted.id} runs something else`, lasting: false }));
}

function runFindings(snapshot: Snapshot, world: World): readonly Finding[] {
  return snapshot.streams.flatMap(({ kind, id, state }): readonly Finding[] => {
    if (kind !== 'promotion' || state === null) return [];
    const runs = world.running?.has(id) === true;
    const subject = `promotion/${id}`;
    if (state.outcome !== null && runs && !isFound(world, id)) {
      return [{ invariant: 'I7', subject, detail: 'has ended, and its workflow runs' }];
    }
    const gates = state.gates as readonly { status: string }[];
    const asksPeople = gates.some(({ status }) => status === 'waiting');
    if (state.outcome === null && !runs && !asksPeople) {
      return [{ invariant: 'I10', subject, detail: 'is open, and nobody carries it on' }];
    }
    return [];
  });
}

/** Only what was said of this very promotion, after the last crash and within a minute of it. */
function isFound({ reconcilerFound, crashedAtMs }: World, id: string): boolean {
  if (crashedAtMs === null) return false;
  return reconcilerFound.some(
    ({ promotion, atMs }) => promotion === id && atMs >= crashedAtMs && atMs <= crashedAtMs + saidMsMax,
  );
}

function disagreement(subject: string, detail: string): Finding {
  return { invariant: 'I7', subject, detail };
}

function silent(who: string): Finding {
  return { invariant: 'I7', subject: who, detail: 'does not answer' };
}

async function edgeLanes({ edge }: WorldOrder): Promise<readonly EdgeLane[]> {
  const response = await fetch(`${edge.url}/lanes`, {
    headers: { authorization: `Bearer ${edge.token}` },
    signal: AbortSignal.timeout(askMsMax),
  });
  return ((await response.json()) as { lanes: readonly EdgeLane[] }).lanes;
}

async function runningPromotions({ temporal }: WorldOrder): Promise<ReadonlySet<string>> {
  const { stdout } = await promisify(execFile)(
    temporal.binary,
    [
      ...['workflow', 'list', '--address', temporal.address, '--query', "ExecutionStatus='Running'"],
      ...['--limit', String(runningMax), '-o', 'json'],
    ],
    { timeout: askMsMax, maxBuffer: 64 * 1024 * 1024, env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' } },
  );
  const runs = JSON.parse(stdout.trim() || '[]') as readonly { execution: { workflowId: string } }[] | null;
  return new Set((runs ?? []).map(({ execution }) => execution.workflowId.replace('promotion/', '')));
}
