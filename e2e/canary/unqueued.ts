import { eventually } from '../eventually.ts';
import { type Climb, cleared, climb, type Desk, followed, type Ground, metAt, servedPercent } from './climb.ts';
import { recordsOf } from './records.ts';

/** What a person says to take users off a version. */
export const wordsBack = ['rollback', 'cancel'] as const;
/** One of them. */
export type WordBack = (typeof wordsBack)[number];

/** What came of a way back that was ordered while there was no Temporal. */
export interface Unqueued {
  readonly word: WordBack;
  /** From the journal's answer to the last request that the canary got; 0 when it got none. */
  readonly metMs: number;
  readonly violations: readonly string[];
}

const usersPerSecond = 40;
const followMsMax = 2_000;
const answersAfter = 120;
const ends: Readonly<Record<WordBack, string>> = { rollback: 'rolled_back', cancel: 'cancelled' };

/** Temporal is stopped, and people take versions back by each of the words they have: no queue is needed for that. */
export async function unqueued(ground: Ground, desks: readonly Desk[], version: string): Promise<readonly Unqueued[]> {
  const { stage } = ground.driver;
  const climbs = await Promise.all(
    desks.map(async (desk) => {
      ground.witnesses.send(desk.host, usersPerSecond);
      const climbing = await climb(ground, desk, { version, badShare: 0, policy: 'still' });
      await metAt(ground, climbing, 25);
      return climbing;
    }),
  );
  stage.parts.temporal.freeze();
  const said = await Promise.all(
    climbs.map(async (climbing, index) => await ordered(ground, climbing, wordsBack[index] ?? 'rollback')),
  );
  stage.parts.temporal.thaw();
  const done: Unqueued[] = [];
  for (const [index, climbing] of climbs.entries()) {
    const came = said[index];
    if (came === undefined) continue;
    const { outcome } = await followed(ground, climbing.promotion, (found) => found.outcome !== null);
    const wrong = outcome === ends[came.word] ? [] : [`expected ${ends[came.word]}, got ${outcome}`];
    done.push({ ...came, violations: [...came.violations, ...wrong] });
    await cleared(ground, climbing);
  }
  return done;
}

async function ordered(ground: Ground, { desk, promotion, version }: Climb, word: WordBack): Promise<Unqueued> {
  const { driver, doors, witnesses } = ground;
  await doors.olga.post(`/v1/promotions/${promotion}/${word}`, { reason: 'without a queue' });
  const answeredAt = Date.now();
  const decided = await recordsOf(driver.stage).weight(desk.lane);
  const answered = witnesses.told(desk.host).length;
  await eventually('more answers', async () => witnesses.told(desk.host).length >= answered + answersAfter);
  const served = await servedPercent(driver.stage, desk.lane);
  const told = witnesses.told(desk.host).filter(({ sentAt }) => sentAt > answeredAt);
  const metMs = Math.max(0, ...told.filter((one) => one.version === version).map(({ sentAt }) => sentAt - answeredAt));
  const failed = told.filter(({ status }) => status !== 200).length;
  const wrong: readonly (readonly [boolean, string])[] = [
    [decided !== 0, `${word}: decided ${decided} % after it was answered`],
    [served !== 0, `${word}: served to ${served} % without Temporal`],
    [metMs > followMsMax, `${word}: met ${metMs} ms later`],
    [failed > 0, `${word}: ${failed} requests failed`],
  ];
  return { word, metMs, violations: wrong.flatMap(([is, what]) => (is ? [what] : [])) };
}
