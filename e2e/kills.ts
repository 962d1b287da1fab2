import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crowdedGate, frozenWorker, lapsedLease, type Scenario } from './concentrated.ts';
import { crowdPolicy } from './crowd.ts';
import type { Acknowledged } from './door.ts';
import type { Finding } from './invariants/finding.ts';
import type { Driver } from './journey.ts';
import { type KillPoint, killPoints } from './kill-point.ts';
import { loseTemporal, type LostAt, stageGroups } from './lost-temporal.ts';
import { matrixText, victims } from './matrix.ts';
import { type PlantedBug, plantedBugs } from './planted-bug.ts';
import { killsPolicy } from './policy.ts';
import { copySource, type Patch } from './source-copy.ts';
import { openStage, type PartName, type Stage } from './stage.ts';
import { endedRight, journalOf, storm, type StormResult } from './storm.ts';
import type { Blow, Victim } from './strike.ts';
import { openVisitors, type VisitorRequest } from './visitors.ts';

/** What the command line can choose. */
export interface KillsOptions {
  readonly projectRoot: string;
  readonly quick: boolean;
  /** Kills of each victim at each point. */
  readonly rounds: number;
  readonly say: (line: string) => void;
}

/** What came of a planted bug: the invariants that the checker named. */
export interface Caught {
  readonly bug: string;
  readonly named: readonly string[];
  readonly caught: boolean;
}

/** Everything that is shown in the end. */
export interface KillsResult {
  readonly storm: StormResult;
  readonly lost: readonly LostAt[];
  /** The stories of the planted bugs, on the product as it is. */
  readonly clean: readonly Finding[];
  readonly planted: readonly Caught[];
  readonly elapsedMs: number;
  readonly passed: boolean;
}

/** Each point and each victim once, in pairs that hurt most. */
const quickBlows: readonly (readonly [KillPoint, Victim])[] = [
  ['after lock', 'api'],
  ['before commit', 'postgres'],
  ['between claim and act', 'worker'],
  ['after commit', 'postgres'],
  ['during a weight change', 'edge'],
  ['after commit', 'api'],
  ['inside a look', 'postgres'],
  ['before wake', 'worker'],
  ['during rollback', 'temporal'],
  ['before commit', 'connection'],
  ['between act and report', 'worker'],
];

const scenarios: Readonly<Record<PlantedBug['scenario'], Scenario>> = {
  'frozen worker': frozenWorker,
  'crowded gate': crowdedGate,
  'lapsed lease': lapsedLease,
};

/** Kills everything everywhere, deletes Temporal's database, plants bugs, and says what the checker found. */
export async function kills(options: KillsOptions): Promise<KillsResult> {
  const startedMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'proviso-kills-'));
  try {
    const parts = await killedAndLost(options, join(folder, 'storm'));
    const bugs = options.quick ? plantedBugs.filter(({ scenario }) => scenario === 'crowded gate') : plantedBugs;
    const planted: Caught[] = [];
    for (const bug of bugs) {
      const planting = plant(options, bug, join(folder, bug.name.replaceAll(' ', '-')));
      // The rest of the run is worth showing even if a bug cannot be planted any more.
      planted.push(
        await planting.catch((error: unknown) => ({ bug: bug.name, named: [String(error)], caught: false })),
      );
    }
    const elapsedMs = Math.round(performance.now() - startedMs);
    return { ...parts, planted, elapsedMs, passed: isPassed({ ...parts, planted }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The whole as text: the matrix, then what else was tried, then every violation. */
export function killsText(result: KillsResult): string {
  const { storm: done, lost, clean, planted } = result;
  const cells = done.struck.map((struck) => ({ ...struck.blow, ok: endedRight(struck, done.journeys) }));
  const ended = done.journeys.filter(({ outcome }) => outcome !== null).length;
  const wrong = done.struck.filter((struck) => !endedRight(struck, done.journeys));
  return [
    matrixText(cells),
    '',
    `promotions ${done.journeys.length}, ended ${ended}; entries ${done.last.entries}, acknowledgements ${done.last.acknowledged}`,
    `visitors ${done.visitorsSent}, failed on stable while the edge was there ${done.stableFailed.length}`,
    `Temporal's database deleted at: ${lost.map(({ stage, right }) => `${stage} ${right ? 'ok' : 'WRONG'}`).join(', ')}`,
    ...planted.map(
      ({ bug, named, caught }) => `planted ${bug}: ${caught ? 'caught' : 'NOT CAUGHT'} (${named.join(', ')})`,
    ),
    ...wrong.map(({ blow, missed, promotion }) => `wrong: ${blow.point} × ${blow.victim} ${missed ?? promotion ?? ''}`),
    ...done.stableFailed.slice(0, shownMax).map(({ host, what }) => `stable failed: ${host} ${what}`),
    ...troubles(result).slice(0, shownMax),
    ...[...done.findings, ...clean].slice(0, shownMax).map(findingText),
    `violations ${done.findings.length + clean.length}, ${result.passed ? 'passed' : 'FAILED'} in ${Math.round(result.elapsedMs / 1_000)} s`,
  ].join('\n');
}

/** More lines than this help nobody to find the first cause. */
const shownMax = 30;

function troubles({ storm: done, lost }: KillsResult): readonly string[] {
  const journeys = [...done.journeys, ...lost.map(({ journey }) => journey)];
  return journeys
    .filter(({ trouble, outcome }) => trouble !== null || outcome === null)
    .map(({ promotion, plot, trouble }) => `trouble: ${promotion} ${plot}: ${trouble ?? 'did not end'}`);
}

function findingText({ invariant, subject, detail }: Finding): string {
  return `violation of ${invariant}: ${subject}: ${detail}`;
}

function isPassed({ storm: done, lost, clean, planted }: Omit<KillsResult, 'elapsedMs' | 'passed'>): boolean {
  return (
    done.struck.every((struck) => endedRight(struck, done.journeys)) &&
    done.findings.length + clean.length + done.stableFailed.length === 0 &&
    lost.every(({ right }) => right) &&
    planted.every(({ caught }) => caught)
  );
}

async function killedAndLost({ projectRoot, quick, rounds, say }: KillsOptions, folder: string) {
  // A copy here too: what is started again after a kill must be what was killed, whoever edits the sources meanwhile.
  const codeRoot = copied(projectRoot, folder, []);
  return await onStage({ codeRoot, projectRoot, folder, policy: killsPolicy }, async (stage, driver) => {
    const calm = new AbortController();
    const stormy = { ...driver, signal: calm.signal };
    const blows = quick ? quickBlows.map(([point, victim]) => ({ point, victim, round: 1 })) : allBlows(rounds);
    const prototypes = quick ? 4 : 6;
    const done = await storm({ driver: stormy, calm: () => calm.abort(), prototypes, blows, say });
    const lost: LostAt[] = [];
    for (const group of quick ? stageGroups.slice(0, 1) : stageGroups) {
      lost.push(...(await loseTemporal({ ...driver, journeys: [] }, { group, say })));
    }
    const clean: Finding[] = [];
    if (!quick) {
      for (const story of [lapsedLease, frozenWorker]) clean.push(...(await story({ ...driver, journeys: [] })));
    }
    clean.push(...(await journalOf(driver)).findings);
    return { storm: done, lost, clean };
  });
}

/** Round after round, and within a round from point to point: the same victim never dies twice in a row. */
function allBlows(rounds: number): readonly Blow[] {
  const blows: Blow[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [row, point] of killPoints.entries()) {
      for (const [column] of victims.entries()) {
        const victim = victims[(column + row) % victims.length];
        if (victim !== undefined) blows.push({ point, victim, round });
      }
    }
  }
  return blows;
}

/** Runs the bug's own story on a copy of the product that has the bug. */
export async function plant({ projectRoot, say }: KillsOptions, bug: PlantedBug, folder: string): Promise<Caught> {
  const codeRoot = copied(projectRoot, folder, bug.patches);
  const crowded = bug.scenario === 'crowded gate';
  const without: readonly PartName[] = crowded ? ['worker', 'edge'] : [];
  const policy = crowded ? crowdPolicy : killsPolicy;
  const findings = await onStage({ codeRoot, projectRoot, folder, policy, without }, async (_, driver) => {
    return await scenarios[bug.scenario](driver);
  });
  const named = [...new Set(findings.map(({ invariant }) => invariant))];
  const caught = named.some((invariant) => bug.breaks.includes(invariant));
  say(`planted ${bug.name}: the checker names ${named.join(', ') || 'nothing'}`);
  return { bug: bug.name, named, caught };
}

function copied(projectRoot: string, folder: string, patches: readonly Patch[]): string {
  const codeRoot = join(folder, 'code');
  mkdirSync(codeRoot, { recursive: true });
  copySource(projectRoot, codeRoot, patches);
  return codeRoot;
}

async function onStage<T>(
  options: Parameters<typeof openStage>[0],
  play: (stage: Stage, driver: Driver) => Promise<T>,
): Promise<T> {
  mkdirSync(options.folder, { recursive: true });
  const stage = await openStage(options);
  const examples = join(options.projectRoot, 'examples', 'helpdesk');
  const requests = JSON.parse(readFileSync(join(examples, 'traffic.json'), 'utf8')) as VisitorRequest[];
  const visitors = openVisitors(stage.routerUrl, requests);
  const [policy] = Object.values(stage.cast.policies);
  const ledger: Acknowledged[] = [];
  try {
    return await play(stage, {
      ...{ stage, examples, visitors, ledger, journeys: [], signal: new AbortController().signal },
      policy: policy?.id ?? '',
      votesHeld: () => false,
    });
  } finally {
    await visitors.stop();
    await stage.close();
  }
}
