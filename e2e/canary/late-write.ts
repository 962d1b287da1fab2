import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { reached } from '../strike.ts';
import type { Moment } from '../wire-sight.ts';
import { type Climb, cleared, climb, type Desk, followed, type Ground, metAt, servedPercent, shown } from './climb.ts';
import { recordsOf, type StoredEntry } from './records.ts';
import type { Testimony } from './witnesses.ts';

/** What a worker is about to write, or has just written, when it is stopped. */
export const lateWrites = [
  'a first share, not begun',
  'a larger share, under its lock',
  'a larger share, committed and not heard',
  'a renewed lease',
  'the end of a canary',
] as const;
/** One of them. */
export type LateWriteName = (typeof lateWrites)[number];

/** What came of one. */
export interface LateWrite {
  readonly write: LateWriteName;
  /** What the journal said to the worker that woke up. */
  readonly refused: readonly string[];
  /** From the word to go back until the journal had answered. */
  readonly rolledBackMs: number;
  /** From that answer to the last request that the canary got; 0 when it got none. */
  readonly metMs: number;
  readonly violations: readonly string[];
}

const usersPerSecond = 40;
/** Slow visitors who are there when the way back is ordered: what they began ends well. */
const slowVisitors = 12;
const slowMs = 3_000;
/** An edge asks four times a second; beyond this it would not have followed. */
const followMsMax = 2_000;
/** So many answers after the worker woke up make sure that users would have noticed. */
const answersAfter = 120;

/**
 * A worker is stopped with a write in its hand; a person rolls back meanwhile, and then the worker goes on where it
 * stopped. Nobody may notice that it ever did.
 */
export async function lateWrite(
  ground: Ground,
  desk: Desk,
  order: { readonly write: LateWriteName; readonly version: string; readonly frozenMs: number },
): Promise<LateWrite> {
  const { driver, doors, witnesses } = ground;
  const { write, version, frozenMs } = order;
  const { worker } = driver.stage.parts;
  witnesses.send(desk.host, usersPerSecond);
  const { climbing, caught } = await stoppedAt(ground, desk, order);
  const frozenAt = Date.now();
  const slow = Array.from({ length: slowVisitors }, () => witnesses.ask(desk.host, `/?slow=${slowMs}`));
  const orderedAt = Date.now();
  await doors.olga.post(`/v1/promotions/${climbing.promotion}/rollback`, { reason: 'a worker is frozen' });
  const answeredAt = Date.now();
  const decided = await recordsOf(driver.stage).weight(desk.lane);
  await eventually('users to be back', async () => (await servedPercent(driver.stage, desk.lane)) === 0);
  await pause(Math.max(0, frozenMs - (Date.now() - frozenAt)));
  worker.thaw();
  caught.release();
  await followed(ground, climbing.promotion, ({ outcome }) => outcome !== null);
  const answered = witnesses.told(desk.host).length;
  await eventually('more answers', async () => witnesses.told(desk.host).length >= answered + answersAfter);
  const after = { climbing, answeredAt, slow: await Promise.all(slow) };
  const { refused, violations } = await judged(ground, write, after);
  const late = witnesses.told(desk.host).filter((one) => one.version === version && one.sentAt > answeredAt);
  await cleared(ground, climbing);
  return {
    write,
    refused,
    rolledBackMs: answeredAt - orderedAt,
    metMs: Math.max(0, ...late.map(({ sentAt }) => sentAt - answeredAt)),
    violations: decided === 0 ? violations : [...violations, `decided ${decided} % after the rollback was answered`],
  };
}

async function stoppedAt(
  ground: Ground,
  desk: Desk,
  { write, version }: { readonly write: LateWriteName; readonly version: string },
) {
  const { proxies, parts } = ground.driver.stage;
  const catching = () => proxies.worker.catchAt(momentOf[write], { unbegun: !write.includes('committed') }).caught;
  const order = { version, badShare: 0, policy: write === 'a renewed lease' ? 'still' : 'quick' };
  const early = write === 'a renewed lease' ? null : catching();
  const climbing = await climb(ground, desk, order);
  if (early === null) await metAt(ground, climbing, 25);
  const caught = await reached(early ?? catching(), write);
  parts.worker.freeze();
  return { climbing, caught };
}

/** A statement is caught before anything of its transaction is sent, unless it is to hold its locks. */
const momentOf: Readonly<Record<LateWriteName, (moment: Moment) => boolean>> = {
  'a first share, not begun': ({ phase, writes, words }) => phase === 'sent' && !writes && /\/look-1(?!\d)/.test(words),
  'a larger share, under its lock': (moment) => moment.phase === 'sent' && raises(moment),
  'a larger share, committed and not heard': (moment) => moment.phase === 'completed' && raises(moment),
  'a renewed lease': ({ phase, writes, words }) => phase === 'sent' && !writes && /\/look-\d/.test(words),
  'the end of a canary': ({ phase, writes, words }) =>
    phase === 'sent' && !writes && /\/canary\/\d+\/\d+\/report/.test(words),
};

function raises({ statement, writes, words }: Moment): boolean {
  const named = words.includes('"kind":"weight_set"') && words.includes('"percent":50');
  return /^commit/i.test(statement) && writes && named;
}

/**
 * Writes that reach the journal and are told no. What was committed before the worker stopped is found out by its next
 * look, and a transaction that stopped in the middle has lost its session, and its locks with it, long before.
 */
const expectsWord: readonly LateWriteName[] = ['a first share, not begun', 'a renewed lease', 'the end of a canary'];

/** The codes by which a fence, an attempt or an end shuts out whoever comes late. */
const shutOut = ['stale_fence', 'stale_attempt', 'promotion_ended'];

async function judged(
  { driver, doors, witnesses }: Ground,
  write: LateWriteName,
  after: { readonly climbing: Climb; readonly answeredAt: number; readonly slow: readonly Testimony[] },
): Promise<Pick<LateWrite, 'refused' | 'violations'>> {
  const { climbing, answeredAt, slow } = after;
  const { desk, promotion, version } = climbing;
  const records = recordsOf(driver.stage);
  const [lane, entries, refusals, weight, found] = await Promise.all([
    records.entriesOf('lane', desk.lane),
    records.entriesOf('promotion', promotion),
    records.refusals(promotion),
    records.weight(desk.lane),
    shown(doors.bea, promotion),
  ]);
  const refused = refusals.filter(({ command }) => command === 'Look' || command === 'Report').map(({ code }) => code);
  const told = witnesses.told(desk.host);
  const met = told.filter((one) => one.version === version && one.sentAt > answeredAt + followMsMax).length;
  const failed = [...told, ...slow].filter(({ status }) => status !== 200);
  const isHeard = !expectsWord.includes(write) || refused.some((code) => shutOut.includes(code));
  const wrong: readonly (readonly [boolean, string])[] = [
    [!isHeard, `expected the late write to be refused, got ${refused.join(', ') || 'nothing'}`],
    [weight !== 0, `decided ${weight} % in the end`],
    [raisedAfterWayBack({ lane, promotion: entries }), 'a share was raised after the rollback'],
    [met > 0, `${met} users met it more than ${followMsMax} ms after the rollback`],
    [failed.length > 0, `${failed.length} requests failed: ${JSON.stringify(failed.slice(0, 3))}`],
    [found.outcome !== 'rolled_back', `ended ${found.outcome ?? 'not at all'}`],
    [found.lane?.held !== true, 'the lane is not held'],
  ];
  return { refused, violations: wrong.flatMap(([is, what]) => (is ? [what] : [])) };
}

/** True when anything gave users to a lane after the way back of a promotion in it had been ordered. */
export function raisedAfterWayBack({
  lane,
  promotion,
}: Readonly<Record<'lane' | 'promotion', readonly StoredEntry[]>>): boolean {
  const ordered = promotion.find(({ kind }) => kind === 'undo_ordered');
  const rises = ({ kind, body }: StoredEntry): boolean =>
    kind === 'release_deployed' || kind === 'release_settled' || (kind === 'weight_set' && Number(body.percent) > 0);
  return ordered !== undefined && lane.some((entry) => entry.id > ordered.id && rises(entry));
}
