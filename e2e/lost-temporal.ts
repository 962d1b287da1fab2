import { type Driver, type Journey, openDoors, type Plot, promoteOnce, registered } from './journey.ts';
import { isRight } from './storm.ts';
import { reached } from './strike.ts';
import type { Caught } from './wire-proxy.ts';

/** A stage of a promotion at which Temporal forgets it. */
export interface LostAt {
  readonly stage: string;
  readonly journey: Journey;
  readonly right: boolean;
}

/**
 * Stages at which promotions are held at the same time. A worker has two places for the first three stages, so no more than
 * two of them are in one group, and last.
 */
export const stageGroups = [
  ['canary', 'undo', 'scan'],
  ['staging', 'evaluation', 'readiness'],
] as const;
type StageName = (typeof stageGroups)[number][number];

/**
 * Brings one promotion to each stage of the group and one to the approval, holds them there just after their claim was
 * recorded, kills Temporal and deletes its database, and lets all go on. The journal alone must bring every one of them to
 * its right end, for which the caller waits.
 */
export async function loseTemporal(
  driver: Driver,
  { group, say }: { readonly group: readonly StageName[]; readonly say: (line: string) => void },
): Promise<{ readonly ended: Promise<readonly LostAt[]> }> {
  const { stage } = driver;
  const assigned = new Map<string, StageName | 'approval'>();
  let votesHeld = true;
  const votesWanted = Promise.withResolvers<true>();
  const atApproval = {
    ...driver,
    votesHeld: () => {
      votesWanted.resolve(true);
      return votesHeld;
    },
  };
  const travelling = [await start(atApproval, { at: 'approval', plot: 'good', assigned, with: group })];
  const held: Caught[] = [];
  for (const at of group) {
    const trap = catchClaim(driver, at, assigned);
    travelling.push(await start(driver, { at, plot: at === 'undo' ? 'recalled' : 'good', assigned, with: group }));
    held.push(await reached(trap, `a promotion at ${at}`));
  }
  await reached(votesWanted.promise, 'a promotion at the approval');
  say(`held at ${[...assigned.values()].join(', ')}: Temporal's database is deleted`);
  await stage.parts.temporal.kill();
  stage.loseTemporalDatabase();
  await stage.parts.temporal.start();
  for (const each of held) each.release();
  votesHeld = false;
  const ended = travelling.map(async ({ at, journey }): Promise<LostAt> => {
    const done = await journey;
    return { stage: at, journey: done, right: isRight(done) };
  });
  return { ended: Promise.all(ended) };
}

/** Resolves once the promotion is open, so that its stage is known before it can be caught; the journey is its whole way. */
async function start(
  driver: Driver,
  order: {
    readonly at: StageName | 'approval';
    readonly plot: Plot;
    readonly assigned: Map<string, StageName | 'approval'>;
    readonly with: readonly StageName[];
  },
): Promise<{ readonly at: string; readonly journey: Promise<Journey> }> {
  const doors = openDoors(driver);
  // Each group waits at the approval too, with a prototype of its own.
  const name = `desk-at-${order.at}-with-${order.with[0]}`;
  const prototype = await registered(doors, name);
  const errand = { doors, prototype, name, version: 'v1', plot: order.plot };
  const opened = Promise.withResolvers<void>();
  const journey = promoteOnce(driver, errand, (promotion) => {
    order.assigned.set(promotion, order.at);
    opened.resolve();
  });
  await Promise.race([opened.promise, journey]);
  return { at: order.at, journey };
}

/** A promotion that has no stage yet can only be the one that is just being opened, and only readiness is that early. */
function catchClaim(driver: Driver, at: StageName, assigned: ReadonlyMap<string, string>): Promise<Caught> {
  const claim = new RegExp(`(prm_[0-9a-f]{32})/${at}/claim/`);
  return driver.stage.proxies.worker.catchAt(({ phase, statement, writes, words }) => {
    if (phase !== 'completed' || !/^commit/i.test(statement) || !writes) return false;
    const promotion = claim.exec(words)?.[1];
    return promotion !== undefined && (assigned.get(promotion) ?? 'readiness') === at;
  }).caught;
}
