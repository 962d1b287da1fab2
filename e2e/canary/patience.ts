import { setTimeout as pause } from 'node:timers/promises';
import type { PromotionDocument } from '../journey.ts';
import type { Stage } from '../stage.ts';
import { type Climb, cleared, climb, type Desk, type Ground, metAt, servedPercent, shown } from './climb.ts';
import { recordsOf } from './records.ts';

/** Why nobody can say how a canary does. */
export const silences = ['nobody comes', 'the edge is stopped', 'the edge is gone'] as const;
/** One of them. */
export type SilenceName = (typeof silences)[number];

/** What came of a canary that nobody could judge. */
export interface Patience {
  readonly silence: SilenceName;
  /** The highest share that was ever decided. */
  readonly highestPercent: number;
  /** Whether the edge served it to nobody before the deadline; null where there was no edge to ask. */
  readonly parked: boolean | null;
  /** From the beginning of the canary until a person was asked. */
  readonly askedMs: number;
  readonly violations: readonly string[];
}

/** Longer than a lease and four looks, so that a share lapses before the deadline of the policy. */
export const patienceMs = 60_000;
const firstPercent = 5;
const usersPerSecond = 60;
const watchMs = 250;
/** From the deadline until a person is asked: the report of a step that is tried again, on busy cores. */
const slackMs = 20_000;

/** What silences all counts, and what makes them come again; a metric's own source falls silent in `muted-source.ts`. */
const silencing: Readonly<Record<SilenceName, (stage: Stage) => Promise<() => Promise<void>>>> = {
  'nobody comes': async () => async () => undefined,
  'the edge is stopped': async ({ parts }) => {
    parts.edge.freeze();
    return async () => parts.edge.thaw();
  },
  'the edge is gone': async ({ parts }) => {
    await parts.edge.kill();
    return async () => await parts.edge.start();
  },
};

/** A version at its first share while nothing is seen of it: held, never promoted, and in the end a person is asked. */
export async function patience(
  ground: Ground,
  desk: Desk,
  { silence, version }: { readonly silence: SilenceName; readonly version: string },
): Promise<Patience> {
  const { driver, witnesses } = ground;
  const isQuiet = silence === 'nobody comes';
  witnesses.send(desk.host, isQuiet ? 0 : usersPerSecond);
  const beganAt = Date.now();
  const climbing = await climb(ground, desk, { version, badShare: 0, policy: isQuiet ? 'patient' : 'steady' });
  if (!isQuiet) await metAt(ground, climbing, firstPercent);
  const speak = await silencing[silence](driver.stage);
  const watched = await untilAsked(ground, climbing, isQuiet);
  const askedMs = Date.now() - beganAt;
  await speak();
  const violations = await judged(ground, climbing, { ...watched, isQuiet });
  await cleared(ground, climbing);
  const { highestPercent, parked } = watched;
  return { silence, highestPercent, parked, askedMs, violations };
}

async function untilAsked(
  { driver, doors }: Ground,
  { desk, promotion }: Climb,
  isQuiet: boolean,
): Promise<Pick<Patience, 'highestPercent' | 'parked'> & { readonly last: PromotionDocument }> {
  const records = recordsOf(driver.stage);
  const deadline = Date.now() + patienceMs + slackMs;
  let [highestPercent, served, parked] = [0, false, false];
  for (;;) {
    const [last, weight] = [await shown(doors.bea, promotion), await records.weight(desk.lane)];
    highestPercent = Math.max(highestPercent, weight);
    if (isQuiet && weight > 0) {
      const percent = await servedPercent(driver.stage, desk.lane);
      served ||= percent > 0;
      parked ||= served && percent === 0;
    }
    const isAsked = last.gates.some(({ status }) => status === 'inconclusive');
    if (isAsked || last.outcome !== null || Date.now() > deadline)
      return { highestPercent, parked: isQuiet ? parked : null, last };
    await pause(watchMs);
  }
}

async function judged(
  ground: Ground,
  { desk, promotion, version }: Climb,
  seen: Pick<Patience, 'highestPercent' | 'parked'> & { readonly last: PromotionDocument; readonly isQuiet: boolean },
): Promise<readonly string[]> {
  const { driver, doors, witnesses } = ground;
  const { highestPercent, parked, last, isQuiet } = seen;
  const spokenAt = Date.now();
  if (!isQuiet) await servedAgain(ground, desk, spokenAt);
  const after = witnesses.told(desk.host).filter(({ sentAt }) => sentAt > spokenAt);
  const met = after.filter((one) => one.version === version).length;
  const { outcome, gates } = await shown(doors.bea, promotion);
  const asked = gates.find(({ name }) => name === 'canary')?.status;
  const wrong: readonly (readonly [boolean, string])[] = [
    [highestPercent !== firstPercent, `expected ${firstPercent} % at most, got ${highestPercent} %`],
    [parked === false, 'the share did not lapse before the deadline'],
    [asked !== 'inconclusive', `expected a person to be asked, got ${asked} (${last.state})`],
    [outcome !== null, `ended ${outcome}`],
    [(await recordsOf(driver.stage).weight(desk.lane)) !== 0, 'a share is left'],
    [met > 0, `${met} users met it afterwards`],
  ];
  return wrong.flatMap(([is, what]) => (is ? [what] : []));
}

/** So many answers of stable after an edge is back make sure that a canary would have been met. */
const answersMin = 200;

async function servedAgain({ witnesses }: Ground, { host, live }: Desk, since: number): Promise<void> {
  const deadline = Date.now() + patienceMs;
  const answers = (): number => witnesses.told(host).filter((one) => one.version === live && one.sentAt > since).length;
  while (answers() < answersMin) {
    if (Date.now() > deadline) throw new Error(`expected stable to be served again, got ${answers()} answers`);
    await pause(watchMs);
  }
}
