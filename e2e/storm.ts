import { setTimeout as pause } from 'node:timers/promises';
import { type CheckResult, checkJournal, checkWorld } from './checker.ts';
import type { Finding } from './invariants/finding.ts';
import { type Service, serviceOf } from './invariants/served.ts';
import { type Driver, type Journey, keepPromoting, type Plot, rightEnd } from './journey.ts';
import type { Stage } from './stage.ts';
import type { Part } from './stage-part.ts';
import { type Blow, strike, type Struck } from './strike.ts';

/** What a storm is made of. */
export interface StormOrder {
  readonly driver: Driver;
  /** Stops the drivers from opening more. */
  readonly calm: () => void;
  /** What each prototype promotes, version after version, over and over. */
  readonly plots: readonly (readonly Plot[])[];
  readonly blows: readonly Blow[];
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface StormResult {
  readonly struck: readonly Struck[];
  readonly journeys: readonly Journey[];
  readonly findings: readonly Finding[];
  readonly last: CheckResult;
  readonly visitorsSent: number;
  readonly stable: Service;
}

/** A point that is missed costs a minute and a half; when it is not found any more, the rest would only take long to say so. */
const missedMax = 3;

/** Several promotions are always on their way while one part after the other is killed; then all are let end. */
export async function storm(order: StormOrder): Promise<StormResult> {
  const { driver, blows, say } = order;
  const { stage } = driver;
  const travelling = order.plots.map((plots, index) => keepPromoting(driver, `desk-${index + 1}`, plots));
  const watch = patrol(stage);
  const struck: Struck[] = [];
  for (const blow of blows) {
    const done = await strike(stage, blow);
    done.findings = done.missed === null ? (await journalOf(driver)).findings : [];
    struck.push(done);
    say(`${blow.point} × ${blow.victim}: ${done.missed ?? `back after ${done.awayMs} ms`}${told(done.findings)}`);
    if (struck.filter(({ missed }) => missed !== null).length >= missedMax) break;
  }
  order.calm();
  say('no more kills: waiting for what is on its way');
  await Promise.all(travelling);
  const findings = await watch.end();
  const [world, last] = [await checkWorld(worldOf(stage)), await journalOf(driver)];
  return {
    ...{ struck, journeys: driver.journeys, last, visitorsSent: driver.visitors.sent() },
    findings: [...findings, ...world, ...last.findings],
    stable: serviceOf({
      toStable: driver.visitors.toStable(),
      succeeded: driver.visitors.succeeded(),
      strikes: stage.parts.edge.absences().map(({ from }) => from),
    }),
  };
}

/** True when the promotion that was hit ended as it had to, soon enough, and nothing was found. */
export function endedRight(struck: Struck, journeys: readonly Journey[]): boolean {
  if (struck.missed !== null || struck.findings.length > 0) return false;
  // A kill at a moment without a name concerns all that were on their way.
  const hit = journeys.filter(({ promotion, openedAt, endedAt }) =>
    struck.promotion === null
      ? openedAt <= struck.at && (endedAt ?? Number.POSITIVE_INFINITY) >= struck.at
      : promotion === struck.promotion,
  );
  if (struck.promotion !== null && hit.length === 0) return false;
  return hit.every((journey) => isRight(journey) && (journey.endedAt ?? 0) - struck.at <= recoveryMsMax);
}

/** From a kill to the end of what it hit, with other kills in between; alone it takes seconds. */
const recoveryMsMax = 150_000;

/** True when it ended as its plot demands. */
export function isRight(journey: Journey): boolean {
  return journey.trouble === null && journey.outcome === rightEnd[journey.plot];
}

/** Looks at edge, Temporal and rows over and over while others kill. */
function patrol(stage: Stage): { end(): Promise<readonly Finding[]> } {
  let over = false;
  const walking = (async () => {
    const found: Finding[] = [];
    while (!over) {
      found.push(...(await checkWorld(worldOf(stage))));
      await pause(1_000);
    }
    return found;
  })();
  return {
    end: async () => {
      over = true;
      return await walking;
    },
  };
}

/** The journal's check of this deployment. */
export async function journalOf({ stage, ledger }: Driver): Promise<CheckResult> {
  return await checkJournal({
    databaseUrl: stage.superuserUrl,
    evidenceFolder: stage.evidenceFolder,
    // As of before the look: what is acknowledged while it looks may be younger than what it sees.
    acknowledged: [...ledger],
    sequencedSinceMs: servedSince(stage.parts.worker, stage.parts.postgres),
  });
}

/** Since when all of these are there; null while one is not. */
function servedSince(...parts: readonly Part[]): number | null {
  if (parts.some((part) => part.pid() === 0)) return null;
  return Math.max(0, ...parts.flatMap((part) => part.absences().map(({ to }) => to)));
}

/** Where the checker looks at this deployment from outside. */
export function worldOf({ superuserUrl, control, temporal, logFolder, parts }: Stage) {
  const crashes = (): readonly number[] =>
    Object.values(parts).flatMap((part) => part.absences().map(({ from }) => from));
  return { databaseUrl: superuserUrl, edge: control, temporal, workerLog: `${logFolder}/worker.log`, crashes };
}

function told(findings: readonly Finding[]): string {
  return findings.map(({ invariant, subject, detail }) => `\n  ${invariant} ${subject}: ${detail}`).join('');
}
