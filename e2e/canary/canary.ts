import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onDrivenStage } from '../driven-stage.ts';
import { eventually } from '../eventually.ts';
import type { RepeatedOrder } from '../order.ts';
import { journalOf } from '../storm.ts';
import { climb, type Desk, type Ground, onGround, openDesk, shown } from './climb.ts';
import { turn } from './fickle-release.ts';
import { type Harm, harm } from './harm.ts';
import {
  type MetricSource,
  meteredDwellMs,
  meteredQuery,
  type Muted,
  mutedSource,
  onMetricSource,
} from './muted-source.ts';
import { type Patience, patience, patienceMs, silences } from './patience.ts';
import { policyOf, quickPolicy, stillPolicy } from './policies.ts';

/** What canaries came to, as their users met them. */
export interface CanaryResult {
  readonly outage: Harm;
  readonly worse: readonly Harm[];
  /** The middle one of the excess bad requests of all runs. */
  readonly excessMedian: number;
  /** A version that is no worse: how it ended, and when; null in a quick run. */
  readonly healthy: { readonly outcome: string | null; readonly tookMs: number } | null;
  readonly unseen: readonly Patience[];
  /** One whose Prometheus fell silent; null in a quick run, and where there is no Prometheus. */
  readonly muted: Muted | null;
  /** Visitors who did not come because too many were waiting: the machine was too small for the load. */
  readonly turnedBack: number;
  readonly findings: readonly string[];
  readonly elapsedMs: number;
  readonly passed: boolean;
}

/** Two cores bear so many lanes of 200 requests a second beside everything else. */
const lanesAtOnce = 3;
const outageMsMax = 5_000;
const excessMedianMax = 25;
const healthyShare = 0.02;
const healthyMsMax = 300_000;
const usersPerSecond = 200;

/** As the ramp is planned for a harm of 20 bad requests in an outage: 5 %, doubled until it waits at a fifth of all users. */
const rampPolicy = policyOf('ramp', { weights: [5, 10, 20], look: '1s', dwell: '1s', deadline: '30m' });
const patient = { weights: [5, 10, 20], look: '1s', deadline: `${patienceMs / 1_000}s` };
const patientPolicy = policyOf('patient', { ...patient, dwell: '1s' });
/** At its first share until the deadline: with users, it would climb before anything could be done to it. */
const steadyPolicy = policyOf('steady', { ...patient, dwell: '2h' });
/** Judged by latency, too, as a Prometheus tells it. */
const meteredPolicy = policyOf('metered', {
  ...{ weights: [25], look: '500ms', dwell: `${meteredDwellMs / 1_000}s`, deadline: '10m' },
  latencyQuery: meteredQuery,
});

/**
 * Versions that are bad in known ways, one that is not, and canaries of which nothing is seen. A round is one run of a
 * version that fails three times as often as the one before.
 */
export async function canary({ projectRoot, quick, rounds, say }: RepeatedOrder): Promise<CanaryResult> {
  const startedMs = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'proviso-canary-'));
  const policies = {
    policy: quickPolicy,
    morePolicies: [stillPolicy, rampPolicy, patientPolicy, steadyPolicy, meteredPolicy],
  };
  const stage = { codeRoot: projectRoot, projectRoot, folder, ...policies, requests: [] };
  const play = async (source: MetricSource | null) => {
    const workerEnvironment = source === null ? {} : { PROVISO_PROMETHEUS: source.placesFile };
    return await onDrivenStage({ ...stage, workerEnvironment }, (driver) =>
      onGround(driver, say, async (ground) => {
        const seen = await judgedByUsers(ground, quick ? { rounds: 1, isWhole: false } : { rounds, isWhole: true });
        const turnedBack = ground.witnesses.turnedBack();
        const unseen = quick ? [] : await judgedByNobody(ground);
        const muted = source === null ? null : await judgedWithoutSource(ground, source);
        const { findings } = await journalOf(driver);
        const told = findings.map(({ invariant, detail }) => `${invariant}: ${detail}`);
        return { ...seen, unseen, muted, turnedBack, findings: told };
      }),
    );
  };
  try {
    const played = quick ? await play(null) : await onMetricSource(folder, play);
    const excessMedian = medianOf(played.worse.map(({ excess }) => excess));
    // One run alone may be unlucky; what is promised is said about the middle of many.
    const passed = isRight(played) && (quick || excessMedian <= excessMedianMax);
    return { ...played, excessMedian, elapsedMs: Math.round(performance.now() - startedMs), passed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A line for each canary. */
export function canaryText(result: CanaryResult): string {
  const { outage, worse, excessMedian, healthy, unseen, muted, turnedBack, findings, elapsedMs, passed } = result;
  const wrong = violationsOf(result);
  const runs = worse.toSorted((a, b) => a.baseShare - b.baseShare);
  return [
    'base error  as often  ended         excess bad     asked     after',
    ...[outage, ...runs].map(harmRow),
    '',
    `excess bad requests at three times the errors, in the median of ${worse.length}: ${excessMedian} (at most ${excessMedianMax})`,
    `outage at 5 %: nobody met it ${outage.afterFirstBadMs} ms after its first bad answer (at most ${outageMsMax})`,
    ...(healthy === null ? [] : [`as healthy as stable: ${healthy.outcome} after ${seconds(healthy.tookMs)}`]),
    ...unseen.map(
      ({ silence, highestPercent, askedMs }) =>
        `${silence}: held at ${highestPercent} %, a person was asked after ${seconds(askedMs)}`,
    ),
    ...(muted === null ? [] : [mutedRow(muted)]),
    ...(turnedBack === 0 ? [] : [`${turnedBack} visitors did not come: too many were waiting`]),
    ...wrong.map((each) => `wrong: ${each}`),
    ...findings.map((finding) => `violation of ${finding}`),
    `violations ${wrong.length + findings.length}, ${passed ? 'passed' : 'FAILED'} in ${seconds(elapsedMs)}`,
  ].join('\n');
}

type Seen = Pick<CanaryResult, 'outage' | 'worse' | 'healthy'>;

/** All that is under traffic: lanes side by side, each with one canary after the other. */
async function judgedByUsers(
  ground: Ground,
  { rounds, isWhole }: { readonly rounds: number; readonly isWhole: boolean },
): Promise<Seen> {
  const outages: Harm[] = [];
  const worse: Harm[] = [];
  const healthies: NonNullable<CanaryResult['healthy']>[] = [];
  const bases = isWhole ? baseShares(rounds) : [0.05];
  const jobs: ((desk: Desk) => Promise<unknown>)[] = [
    async (desk) => outages.push(await taken(ground, desk, { version: 'v1', baseShare: 0.01, rateRatio: 100 })),
    ...bases.map((baseShare, index) => async (desk: Desk) => {
      worse.push(await taken(ground, desk, { version: `v${index + 2}`, baseShare, rateRatio: 3 }));
    }),
    ...(isWhole ? [async (desk: Desk) => healthies.push(await goneLive(ground, desk))] : []),
  ];
  const names = Array.from({ length: isWhole ? lanesAtOnce : 1 }, (_, index) => `desk-${index + 1}`);
  await Promise.all(
    names.map(async (name) => {
      const desk = await openDesk(ground, name, 'quick');
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job(desk);
    }),
  );
  const [outage] = outages;
  if (outage === undefined) throw new Error('expected an outage, got none');
  return { outage, worse, healthy: healthies[0] ?? null };
}

/** From half a percent to five, evenly in ratio. */
function baseShares(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => 0.005 * 10 ** (index / Math.max(1, count - 1)));
}

async function taken(ground: Ground, desk: Desk, order: Parameters<typeof harm>[2]): Promise<Harm> {
  const came = await harm(ground, desk, order);
  ground.say(harmRow(came) + came.violations.map((violation) => `\n  WRONG: ${violation}`).join(''));
  return came;
}

async function goneLive(ground: Ground, desk: Desk): Promise<NonNullable<CanaryResult['healthy']>> {
  const { doors, witnesses } = ground;
  await turn(witnesses, { host: desk.host, version: desk.live, badShare: healthyShare });
  witnesses.send(desk.host, usersPerSecond);
  const beganAt = Date.now();
  const { promotion } = await climb(ground, desk, { version: 'v-healthy', badShare: healthyShare, policy: 'ramp' });
  const outcome = await eventually(
    'a healthy version to end',
    async () => (await shown(doors.bea, promotion)).outcome,
    healthyMsMax,
  ).catch(() => null);
  witnesses.send(desk.host, 0);
  const tookMs = Date.now() - beganAt;
  ground.say(`as healthy as stable: ${outcome} after ${seconds(tookMs)}`);
  return { outcome, tookMs };
}

/** One after the other, since the edge is everybody's. */
async function judgedByNobody(ground: Ground): Promise<readonly Patience[]> {
  const desk = await openDesk(ground, 'unseen', 'quick');
  const done: Patience[] = [];
  for (const [index, silence] of silences.entries()) {
    const came = await patience(ground, desk, { silence, version: `v${index + 1}` });
    done.push(came);
    ground.say(`${silence}: held${came.violations.map((violation) => `\n  WRONG: ${violation}`).join('')}`);
  }
  return done;
}

async function judgedWithoutSource(ground: Ground, source: MetricSource): Promise<Muted> {
  const muted = await mutedSource(ground, await openDesk(ground, 'metered', 'quick'), source);
  ground.say(mutedRow(muted) + muted.violations.map((violation) => `\n  WRONG: ${violation}`).join(''));
  return muted;
}

type Judged = Pick<CanaryResult, 'outage' | 'worse' | 'unseen' | 'muted'>;

function violationsOf({ outage, worse, unseen, muted }: Judged): readonly string[] {
  return [outage, ...worse, ...unseen, ...(muted === null ? [] : [muted])].flatMap(({ violations }) => violations);
}

function isRight(played: Omit<CanaryResult, 'excessMedian' | 'elapsedMs' | 'passed'>): boolean {
  const { outage, healthy, findings } = played;
  return (
    outage.afterFirstBadMs <= outageMsMax &&
    (healthy === null || healthy.outcome === 'live') &&
    violationsOf(played).length + findings.length === 0
  );
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low = 0, high = 0] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}

function harmRow({ baseShare, rateRatio, outcome, excess, asked, afterFirstBadMs }: Harm): string {
  const cells = [`${(baseShare * 100).toFixed(2)} %`.padStart(10), `× ${rateRatio}`.padStart(10)];
  const numbers = [String(excess).padStart(10), String(asked).padStart(10), seconds(afterFirstBadMs).padStart(10)];
  return `${cells.join('')}  ${(outcome ?? 'no end').padEnd(12)}${numbers.join('')}`;
}

function mutedRow({ saidMs, liveMs }: Muted): string {
  const end = liveMs === null ? 'did not go on' : `went on to live in ${seconds(liveMs)}`;
  return `Prometheus gone: held, said so after ${seconds(saidMs)}; with it back ${end}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
