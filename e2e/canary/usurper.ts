import { eventually } from '../eventually.ts';
import { reached } from '../strike.ts';
import { type Climb, cleared, climb, type Desk, followed, type Ground, metAt, servedPercent } from './climb.ts';
import { recordsOf } from './records.ts';

/** What came of a worker that slept through a rollback and the next version's beginning. */
export interface Usurped {
  readonly refused: readonly string[];
  readonly violations: readonly string[];
}

const usersPerSecond = 40;
const percent = 25;
/** So many answers after the first worker woke up make sure that users would have noticed. */
const answersAfter = 120;

/**
 * A worker is stopped with a renewal in its hand. A person rolls back, a second worker tidies up, and by its hand the next
 * version comes to a quarter of all users. Then the first worker wakes up: the share that it writes about is another's.
 */
export async function usurper(ground: Ground, desk: Desk, versions: readonly [string, string]): Promise<Usurped> {
  const { driver, doors, witnesses } = ground;
  const { stage } = driver;
  const { worker } = stage.parts;
  witnesses.send(desk.host, usersPerSecond);
  const old = await climbed(ground, desk, versions[0]);
  const renewal = stage.proxies.worker.catchAt(
    ({ phase, writes, words }) => phase === 'sent' && !writes && /\/look-\d/.test(words),
    { unbegun: true },
  );
  const caught = await reached(renewal.caught, 'a renewal');
  worker.freeze();
  await doors.olga.post(`/v1/promotions/${old.promotion}/rollback`, { reason: 'a worker is frozen' });
  const second = await stage.openSecondWorker();
  try {
    await followed(ground, old.promotion, ({ outcome }) => outcome !== null);
    await cleared(ground, old);
    witnesses.send(desk.host, usersPerSecond);
    const young = await climbed(ground, desk, versions[1]);
    const before = await recordsOf(stage).entriesOf('lane', desk.lane);
    worker.thaw();
    caught.release();
    const refused = await refusedTo(ground, old);
    const answered = witnesses.told(desk.host).length;
    await eventually('more answers', async () => witnesses.told(desk.host).length >= answered + answersAfter);
    const after = await recordsOf(stage).entriesOf('lane', desk.lane);
    const served = await servedPercent(stage, desk.lane);
    const failed = witnesses.told(desk.host).filter(({ status }) => status !== 200).length;
    const wrong: readonly (readonly [boolean, string])[] = [
      [!refused.includes('stale_fence'), `expected the renewal to be refused, got ${refused.join(', ') || 'nothing'}`],
      [served !== percent, `the successor is served to ${served} %`],
      [after.length !== before.length, `the lane got ${after.length - before.length} entries`],
      [failed > 0, `${failed} requests failed`],
    ];
    await cleared(ground, young);
    return { refused, violations: wrong.flatMap(([is, what]) => (is ? [what] : [])) };
  } finally {
    await second.part.close();
  }
}

async function climbed(ground: Ground, desk: Desk, version: string): Promise<Climb> {
  const climbing = await climb(ground, desk, { version, badShare: 0, policy: 'still' });
  await metAt(ground, climbing, percent);
  return climbing;
}

async function refusedTo({ driver }: Ground, { promotion }: Climb): Promise<readonly string[]> {
  return await eventually('the late renewal to be answered', async () => {
    const refusals = await recordsOf(driver.stage).refusals(promotion);
    const codes = refusals.filter(({ command }) => command === 'Look').map(({ code }) => code);
    return codes.length > 0 && codes;
  }).catch(() => []);
}
