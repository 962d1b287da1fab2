import { setTimeout as pause } from 'node:timers/promises';
import { checkWorld } from './checker.ts';
import type { Finding } from './invariants/finding.ts';
import { type Driver, isOver, openDoors, type Plot, promoteOnce, registered } from './journey.ts';
import { isAt } from './kill-point.ts';
import { openedAtGate, voteAs } from './crowd.ts';
import { journalOf, worldOf } from './storm.ts';
import { reached } from './strike.ts';
import type { Moment } from './wire-sight.ts';

/** One story that would break if the thing it is named for did not hold; the same for the product and for a planted bug. */
export type Scenario = (driver: Driver) => Promise<readonly Finding[]>;

/** The longest lease, and a little. */
const leaseMs = 30_000;
const graceMs = 4_000;

/**
 * A worker freezes just before it reports; another one takes the step over; then the first one wakes up and reports. It
 * must not be heard.
 */
export async function frozenWorker(driver: Driver): Promise<readonly Finding[]> {
  const { stage } = driver;
  const reports = isAt('between act and report', 'worker');
  const first = stage.proxies.worker.catchAt(reports, { unbegun: true });
  const travelling = promote(driver, 'desk-frozen', 'good');
  const late = await reached(first.caught, 'the first worker to report');
  const { worker } = stage.parts;
  process.kill(worker.pid(), 'SIGSTOP');
  const second = await stage.openSecondWorker();
  const takesOver = await reached(
    second.proxy.catchAt(reports, { unbegun: true }).caught,
    'the second worker to report',
  );
  const answered = stage.proxies.worker.catchAt(
    (moment: Moment) =>
      moment.phase === 'completed' && /^(commit|rollback)/i.test(moment.statement) && /\/report/.test(moment.words),
  );
  process.kill(worker.pid(), 'SIGCONT');
  late.release();
  const heard = await reached(answered.caught, 'the late report to be answered');
  heard.release();
  takesOver.release();
  await travelling;
  return (await journalOf(driver)).findings;
}

/** Many clients of one person vote at the same instant; one vote may count. Needs neither worker nor edge. */
export async function crowdedGate(driver: Driver): Promise<readonly Finding[]> {
  for (let round = 1; round <= crowdRounds; round += 1) {
    const gate = await openedAtGate(driver, `desk-crowd-${round}`);
    await Promise.all(
      Array.from({ length: crowdSize }, (_, index) => voteAs(driver, index % 2 === 0 ? 'sam' : 'olga', gate)),
    );
  }
  return (await journalOf(driver)).findings;
}

/** As many as the API has connections for; fewer would wait for each other before they reach the lock. */
const crowdSize = 16;
const crowdRounds = 3;

/** The judge dies while users are split; after the lease they must all be back on stable, and no earlier does it end. */
export async function lapsedLease(driver: Driver): Promise<readonly Finding[]> {
  const { stage } = driver;
  const split = stage.proxies.worker.catchAt(
    ({ phase, statement, writes, words }) =>
      phase === 'completed' && /^commit/i.test(statement) && writes && words.includes('"kind":"canary_weighed"'),
  );
  const travelling = promote(driver, 'desk-leased', 'good');
  const weighed = await reached(split.caught, 'a share of users');
  await stage.parts.worker.kill();
  weighed.cut();
  await pause(leaseMs + graceMs);
  const findings = await checkWorld(worldOf(stage), 0);
  await stage.parts.worker.start();
  // What serves too long is what is looked for; that a run is not carried on while no worker lives is as it must be.
  const kept = findings.filter(({ invariant }) => invariant === 'I5');
  const journey = await travelling;
  return isOver(journey) ? kept : [...kept, { invariant: 'I10', subject: journey.promotion, detail: 'did not end' }];
}

async function promote(driver: Driver, name: string, plot: Plot) {
  const doors = openDoors(driver);
  const prototype = await registered(doors, name);
  return await promoteOnce(driver, { doors, prototype, name, version: 'v1', plot });
}
