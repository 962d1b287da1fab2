import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crowdedGate, frozenWorker, lapsedLease, type Scenario } from './concentrated.ts';
import { crowdExtras, crowdPolicy } from './crowd.ts';
import { onDrivenStage } from './driven-stage.ts';
import type { Finding } from './invariants/finding.ts';
import type { Service, Visit } from './invariants/served.ts';
import { type Driver, isOver, type Journey, type Plot } from './journey.ts';
import { type KillPoint, killPoints } from './kill-point.ts';
import { loseTemporal, type LostAt, stageGroups } from './lost-temporal.ts';
import { matrixText, victims } from './matrix.ts';
import type { RepeatedOrder } from './order.ts';
import { type PlantedBug, plantedBugs } from './planted-bug.ts';
import { killsPolicy } from './policy.ts';
import { copySource, type Patch } from './source-copy.ts';
import type { PartName } from './stage.ts';
import { endedRight, journalOf, storm, type StormOrder, type StormResult } from './storm.ts';
import type { Blow, Victim } from './strike.ts';
import type { VisitorRequest } from './visitors.ts';

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

/** Different orders, so that different plots meet each kill. */
const plots: readonly (readonly Plot[])[] = [
  ['good', 'flaky', 'recalled'],
  ['good', 'recalled', 'flaky', 'good'],
  ['flaky', 'good', 'recalled'],
];

/**
 * Each point and each victim once, in the order in which promotions come by, so that none is waited for long. The edge is
 * struck last: by then it serves a stable release, and others see the strike too.
 */
const quickBlows: readonly (readonly [KillPoint, Victim])[] = [
  ['between claim and act', 'worker'],
  ['before wake', 'worker'],
  ['before commit', 'connection'],
  ['after commit', 'postgres'],
  ['between act and report', 'worker'],
  ['after lock', 'api'],
  ['inside a look', 'postgres'],
  ['during rollback', 'temporal'],
  ['during a weight change', 'edge'],
];
/** One that comes to a rollback at once, and two whose second versions meet a stable one. */
const quickPlots: readonly (readonly Plot[])[] = [['recalled', 'good'], ['good'], ['good', 'flaky']];

const scenarios: Readonly<Record<PlantedBug['scenario'], Scenario>> = {
  'frozen worker': frozenWorker,
  'crowded gate': crowdedGate,
  'lapsed lease': lapsedLease,
};

/**
 * Kills everything everywhere, deletes Temporal's database, plants bugs, and says what the checker found. A round is one
 * kill of each victim at each point.
 */
export async function kills(options: RepeatedOrder): Promise<KillsResult> {
  const startedMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'proviso-kills-'));
  try {
    const play = options.quick ? quickly : thoroughly;
    const { planted, ...parts } = await play(options, folder);
    const elapsedMs = Math.round(performance.now() - startedMs);
    return { ...parts, planted, elapsedMs, passed: isPassed({ ...parts, planted }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The whole as text: the matrix, then what else was tried, then every violation. */
export function killsText(result: KillsResult): string {
  const { storm: done, lost, clean, planted } = result;
  const journeys = journeysOf(result);
  const cells = done.struck.map((struck) => ({ ...struck.blow, ok: endedRight(struck, journeys) }));
  const ended = journeys.filter(isOver).length;
  const wrong = done.struck.filter((struck) => !endedRight(struck, journeys));
  return [
    matrixText(cells),
    '',
    `promotions ${journeys.length}, ended ${ended}; entries ${done.last.entries}, acknowledgements ${done.last.acknowledged}`,
    `visitors ${done.visitorsSent}; ${stableText(done.stable)}`,
    `Temporal's database deleted at: ${lost.map(({ stage, right }) => `${stage} ${right ? 'ok' : 'WRONG'}`).join(', ')}`,
    ...planted.map(
      ({ bug, named, caught }) => `planted ${bug}: ${caught ? 'caught' : 'NOT CAUGHT'} (${named.join(', ')})`,
    ),
    ...wrong.map(({ blow, missed, promotion }) => `wrong: ${blow.point} × ${blow.victim} ${missed ?? promotion ?? ''}`),
    ...done.stable.failed.slice(0, shownMax).map(visitText),
    ...troubles(result).slice(0, shownMax),
    ...[...done.findings, ...clean].slice(0, shownMax).map(findingText),
    `violations ${done.findings.length + clean.length}, ${result.passed ? 'passed' : 'FAILED'} in ${Math.round(result.elapsedMs / 1_000)} s`,
  ].join('\n');
}

/** More lines than this help nobody to find the first cause. */
const shownMax = 30;

/** All that were on their way: a blow may hit a promotion that has lost its run, too. */
function journeysOf({ storm: done, lost }: Pick<Parts, 'storm' | 'lost'>): readonly Journey[] {
  return [...done.journeys, ...lost.map(({ journey }) => journey)];
}

function troubles(result: KillsResult): readonly string[] {
  return journeysOf(result)
    .filter((journey) => journey.trouble !== null || !isOver(journey))
    .map(({ promotion, plot, trouble }) => `trouble: ${promotion} ${plot}: ${trouble ?? 'did not end'}`);
}

/** What was excused stands beside what was not, so that nobody has to believe a bare zero. */
function stableText({ asked, failed, downtimes }: Service): string {
  const felt = downtimes.filter((down) => down.failed > 0);
  const longestMs = Math.max(0, ...felt.map(({ from, to }) => to - from));
  const sum = felt.reduce((before, down) => before + down.failed, 0);
  return (
    `stable was asked ${asked} times: failed ${failed.length}, and ${sum} more while the edge was down ` +
    `(felt in ${felt.length} of ${downtimes.length} times, ${longestMs} ms at most)`
  );
}

function visitText({ host, sentAt, endedAt, what }: Visit): string {
  return `stable failed: ${host} ${what} at ${new Date(sentAt).toISOString()}, after ${endedAt - sentAt} ms`;
}

function findingText({ invariant, subject, detail }: Finding): string {
  return `violation of ${invariant}: ${subject}: ${detail}`;
}

function isPassed(parts: Parts): boolean {
  const { storm: done, lost, clean, planted } = parts;
  const journeys = journeysOf(parts);
  return (
    done.struck.every((struck) => endedRight(struck, journeys)) &&
    done.findings.length + clean.length + done.stable.failed.length === 0 &&
    lost.every(({ right }) => right) &&
    planted.every(({ caught }) => caught)
  );
}

type Parts = Omit<KillsResult, 'elapsedMs' | 'passed'>;

/** Everything one after the other, so that nothing hides behind anything else. */
async function thoroughly(options: RepeatedOrder, folder: string): Promise<Parts> {
  const { rounds, say } = options;
  const parts = await onStormStage(options, folder, async (driver, calming) => {
    const done = await storm({ ...calming, plots: [...plots, ...plots], blows: allBlows(rounds), say });
    const lost: LostAt[] = [];
    for (const group of stageGroups) {
      const { ended } = await loseTemporal(driver, { group, say });
      lost.push(...(await ended));
    }
    const clean: Finding[] = [];
    for (const story of [lapsedLease, frozenWorker]) clean.push(...(await story(driver)));
    return { storm: done, lost, clean: [...clean, ...(await journalOf(driver)).findings] };
  });
  const planted: Caught[] = [];
  for (const bug of plantedBugs) planted.push(await plant(options, bug, folder));
  return { ...parts, planted };
}

/**
 * The same in a minute: the run that lost Temporal waits for the reconciler while everything is killed, and the bug that
 * needs the fewest parts is planted meanwhile.
 */
async function quickly(options: RepeatedOrder, folder: string): Promise<Parts> {
  const { say } = options;
  return await onStormStage(options, folder, async (driver, calming) => {
    const { ended } = await loseTemporal(driver, { group: ['scan'], say });
    const blows = quickBlows.map(([point, victim]) => ({ point, victim, round: 1 }));
    const bugs = plantedBugs.filter(({ scenario }) => scenario === 'crowded gate');
    const [done, lost, ...planted] = await Promise.all([
      storm({ ...calming, plots: quickPlots, blows, say }),
      ended,
      ...bugs.map((bug) => plant(options, bug, folder)),
    ]);
    return { storm: done, lost, clean: (await journalOf(driver)).findings, planted };
  });
}

async function onStormStage<T>(
  { projectRoot }: RepeatedOrder,
  folder: string,
  play: (driver: Driver, calming: Pick<StormOrder, 'driver' | 'calm'>) => Promise<T>,
): Promise<T> {
  const own = join(folder, 'storm');
  // A copy here too: what is started again after a kill must be what was killed, whoever edits the sources meanwhile.
  const codeRoot = copied(projectRoot, own, []);
  const requests = requestsOf(projectRoot);
  return await onDrivenStage({ codeRoot, projectRoot, folder: own, policy: killsPolicy, requests }, async (driver) => {
    const calm = new AbortController();
    const stormy = { ...driver, journeys: [], signal: calm.signal };
    return await play(driver, { driver: stormy, calm: () => calm.abort() });
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

/** Runs the bug's own story on a copy of the product that has the bug; when that fails, the rest is still worth showing. */
async function plant({ projectRoot, say }: RepeatedOrder, bug: PlantedBug, top: string): Promise<Caught> {
  const folder = join(top, bug.name.replaceAll(' ', '-'));
  const named = await namedFor(bug, { projectRoot, folder }).catch((error: unknown) => [String(error)]);
  const caught = named.some((invariant) => bug.breaks.some((broken) => broken === invariant));
  say(`planted ${bug.name}: the checker names ${named.join(', ') || 'nothing'}`);
  return { bug: bug.name, named, caught };
}

async function namedFor(
  bug: PlantedBug,
  { projectRoot, folder }: { projectRoot: string; folder: string },
): Promise<readonly string[]> {
  const codeRoot = copied(projectRoot, folder, bug.patches);
  const crowded = bug.scenario === 'crowded gate';
  const without: readonly PartName[] = crowded ? ['worker', 'edge', 'temporal'] : [];
  const policy = crowded ? crowdPolicy : killsPolicy;
  const extras = crowded ? crowdExtras : [];
  const options = { codeRoot, projectRoot, folder, policy, extras, without, requests: requestsOf(projectRoot) };
  const findings = await onDrivenStage(options, async (driver) => await scenarios[bug.scenario](driver));
  return [...new Set(findings.map(({ invariant }) => invariant))];
}

function copied(projectRoot: string, folder: string, patches: readonly Patch[]): string {
  const codeRoot = join(folder, 'code');
  mkdirSync(codeRoot, { recursive: true });
  copySource(projectRoot, codeRoot, patches);
  return codeRoot;
}

/** What visitors of the example ask for, as its own folder tells. */
function requestsOf(projectRoot: string): readonly VisitorRequest[] {
  return JSON.parse(readFileSync(join(projectRoot, 'examples', 'helpdesk', 'traffic.json'), 'utf8'));
}
