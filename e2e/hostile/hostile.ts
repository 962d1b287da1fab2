import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onDrivenStage } from '../driven-stage.ts';
import { type Driver, openDoors } from '../journey.ts';
import type { Order } from '../order.ts';
import { aimsOf } from './aims.ts';
import { type Attack, type Phase, tableText } from './attack.ts';
import { releasesIn, seenAtEdge } from '../edge-sight.ts';
import { watchFamilies } from './families.ts';
import { type Lures, openLures } from './lures.ts';
import { buildAttacks } from './build-phase.ts';
import { bareAttacks, evaluationAttacks, neighbourOf, placed, releaseAttacks } from './phases.ts';
import { askSteadily, type Responsiveness } from './responsiveness.ts';

/** What the command line can choose; quick is without an evaluation, and takes nobody's memory, disk or processes. */
export interface HostileOptions extends Order {
  /** The way in which both worker and edge isolate, and no other. */
  readonly way: AttackedWay;
}

/** The ways that claim to keep a stranger's process away. */
export const attackedWays = ['bubblewrap', 'namespace'] as const;
/** One of them. */
export type AttackedWay = (typeof attackedWays)[number];

/** Every attack, and how the service felt meanwhile. */
export interface HostileResult {
  readonly way: AttackedWay;
  readonly attacks: readonly Attack[];
  readonly status: Responsiveness;
  /** How many came to listeners of ours from inside a sandbox. */
  readonly lured: number;
  /** What must be so and is not; empty when all goals are met. */
  readonly missed: readonly string[];
  readonly elapsedMs: number;
  readonly passed: boolean;
}

type Played = Pick<HostileResult, 'attacks' | 'status' | 'lured'>;

/** Good enough for a page that somebody waits for. */
const statusMsP99Max = 500;

/** No bar: what is judged here is not the prototype. */
const policy = `policy: hostile
environment: production
gates:
  - gate: evaluation
    bar: 0.01
    repeats: 1
    attemptsMax: 1
  - gate: canary
    weights: [50]
    look: 250ms
    dwell: 250ms
    deadline: 3m
`;

/** Lets a hostile prototype try everything in every phase, and looks from inside and outside at what came of it. */
export async function hostile(options: HostileOptions): Promise<HostileResult> {
  const startedMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'proviso-hostile-'));
  const { projectRoot, quick, way } = options;
  const lures = await openLures(join(folder, 'lures'));
  try {
    const requests = [{ method: 'GET', path: '/' }];
    const environments = {
      workerEnvironment: { PROVISO_WORKER_ISOLATION: way },
      edgeEnvironment: { PROVISO_EDGE_ISOLATION: way },
    };
    const stage = { codeRoot: projectRoot, projectRoot, folder, policy, requests, ...environments };
    const played = await onDrivenStage(stage, async (driver) => await play(driver, { ...options, folder, lures }));
    const missed = missedOf(played, quick ? ['build', 'release'] : ['build', 'evaluation', 'release']);
    const elapsedMs = Math.round(performance.now() - startedMs);
    return { way, ...played, missed, elapsedMs, passed: missed.length === 0 };
  } finally {
    await lures.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The whole as text: the table, the service, and what is missed. */
export function hostileText({ way, attacks, status, lured, missed, elapsedMs, passed }: HostileResult): string {
  const { asked, failed, p50Ms, p99Ms, maxMs } = status;
  const tried = attacks.filter(({ phase }) => phase !== 'bare');
  const reached = tried.filter(({ verdict }) => verdict === 'reached').length;
  return [
    `isolated by ${way}`,
    tableText(attacks),
    '',
    `reached ${reached} of ${tried.length}; visits to our listeners from inside: ${lured}`,
    `status asked ${asked} times meanwhile: p50 ${p50Ms} ms, p99 ${p99Ms} ms, at most ${maxMs} ms, failed ${failed}`,
    ...missed.map((each) => `missed: ${each}`),
    `${passed ? 'passed' : 'FAILED'} in ${Math.round(elapsedMs / 1_000)} s`,
  ].join('\n');
}

async function play(
  driver: Driver,
  { folder, lures, quick, way, say }: HostileOptions & { folder: string; lures: Lures },
): Promise<Played> {
  const { stage } = driver;
  const families = watchFamilies(async () => {
    const releases = releasesIn(await seenAtEdge(stage)).flatMap(({ pid }) => pid ?? []);
    // Builds are children of the worker.
    return [stage.parts.worker.pid(), ...releases];
  });
  try {
    const ground = { driver, doors: openDoors(driver), folder, families, quick, way, say };
    const beside = await placed(ground, 'neighbour');
    const aims = aimsOf(stage, { folder, lures, neighbour: await neighbourOf(ground, beside) });
    const bare = await bareAttacks(aims);
    const visitsBefore = lures.visits();
    const asking = askSteadily(`${stage.apiUrl}/v1/promotions/${beside.promotion}`, stage.cast.people.bea.token);
    const build = await buildAttacks(ground, aims);
    const evaluation = quick ? [] : await evaluationAttacks(ground, aims);
    const release = await releaseAttacks(ground, aims);
    const attacks = [...bare, ...build, ...evaluation, ...release];
    return { attacks, status: await asking.end(), lured: lures.visits() - visitsBefore };
  } finally {
    await families.end();
  }
}

function missedOf({ attacks, status, lured }: Played, phases: readonly Phase[]): readonly string[] {
  const told = ({ label, phase, outcome }: Attack): string => `${label} during ${phase}: ${outcome}`;
  const inside = attacks.filter(({ phase }) => phase !== 'bare');
  const without = attacks.filter(({ phase, verdict, real }) => phase === 'bare' && real && verdict !== 'reached');
  return [
    ...inside.filter(({ verdict }) => verdict === 'reached').map((each) => `reached ${told(each)}`),
    ...inside.filter(({ verdict }) => verdict === 'unproven').map((each) => `not proven: ${told(each)}`),
    ...without.map((each) => `a blunt attack, which reaches nothing without isolation either: ${each.label}`),
    ...notRun(inside, phases),
    ...(lured > 0 ? [`${lured} visits to listeners of ours from inside`] : []),
    ...(status.failed > 0 ? [`status failed ${status.failed} times`] : []),
    ...(status.p99Ms >= statusMsP99Max
      ? [`p99 of status: expected < ${statusMsP99Max} ms, got ${status.p99Ms} ms`]
      : []),
  ];
}

/** What was tried in one phase is tried in each of them: a cell that is empty is no success. */
function notRun(inside: readonly Attack[], phases: readonly Phase[]): readonly string[] {
  const labels = [...new Set(inside.map(({ label }) => label))];
  return phases.flatMap((phase) =>
    labels
      .filter((label) => !inside.some((each) => each.phase === phase && each.label === label))
      .map((label) => `not run: ${label} during ${phase}`),
  );
}
