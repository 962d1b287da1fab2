import { eventually } from '../eventually.ts';
import { agreed, type Climb, cleared, climb, type Desk, type Ground, opened, shown } from './climb.ts';
import { turn } from './fickle-release.ts';
import { recordsOf } from './records.ts';
import type { Testimony } from './witnesses.ts';

/** What a bad version did to users until it was taken back, by their own count. */
export interface Harm {
  readonly baseShare: number;
  readonly rateRatio: number;
  readonly outcome: string | null;
  /** Bad answers of the canary that stable would have answered well: each visitor's draw tells. */
  readonly excess: number;
  /** From its first answer that was bad until the last request that it got. */
  readonly afterFirstBadMs: number;
  readonly tookMs: number;
  readonly asked: number;
  readonly violations: readonly string[];
}

const usersPerSecond = 200;
/** At the lowest base rate the judge needs a minute or two. */
const endMsMax = 300_000;

/** Puts a version beside a stable one whose share of bad answers is known, and waits until it is taken back. */
export async function harm(
  ground: Ground,
  desk: Desk,
  {
    version,
    baseShare,
    rateRatio,
  }: { readonly version: string; readonly baseShare: number; readonly rateRatio: number },
): Promise<Harm> {
  const { driver, doors, witnesses } = ground;
  const { host } = desk;
  await turn(witnesses, { host, version: desk.live, badShare: baseShare });
  witnesses.forget(host);
  witnesses.send(host, usersPerSecond);
  const beganAt = Date.now();
  const climbing = await climb(ground, desk, { version, badShare: Math.min(1, baseShare * rateRatio), policy: 'ramp' });
  const outcome = await eventually(
    `${version} to end`,
    async () => (await shown(doors.bea, climbing.promotion)).outcome,
    endMsMax,
  ).catch(() => null);
  const endedAt = Date.now();
  const told = witnesses.told(host);
  const unheld = outcome === 'rolled_back' ? await heldUntilResumed(ground, climbing) : [];
  if (outcome === 'live') desk.live = version;
  const digest = await recordsOf(driver.stage).snapshot(climbing.promotion);
  const kept = digest === null ? null : (await doors.bea.get<{ kind: string }>(`/v1/evidence/${digest}`)).kind;
  const lost = told.filter((one) => one.version === null);
  const wrong: readonly (readonly [boolean, string])[] = [
    [outcome !== 'rolled_back', `ended ${outcome ?? 'not at all'}`],
    [kept !== 'canary_snapshot', `kept ${kept ?? 'nothing'} of what condemned it`],
    [lost.length > 0, `${lost.length} of ${told.length} requests met no version: ${JSON.stringify(lost[0])}`],
  ];
  await cleared(ground, climbing);
  const violations = [...wrong.flatMap(([is, what]) => (is ? [what] : [])), ...unheld];
  const facts = { ...seenOf(told, { version, baseShare }), tookMs: endedAt - beganAt, asked: told.length };
  return { baseShare, rateRatio, outcome, ...facts, violations };
}

function seenOf(
  told: readonly Testimony[],
  { version, baseShare }: { readonly version: string; readonly baseShare: number },
): Pick<Harm, 'excess' | 'afterFirstBadMs'> {
  const met = told.filter((one) => one.version === version);
  const bad = met.filter(({ status }) => status !== 200);
  const firstBadAt = Math.min(...bad.map(({ endedAt }) => endedAt));
  const lastAt = Math.max(...met.map(({ sentAt }) => sentAt));
  return {
    excess: bad.filter(({ luck }) => luck >= baseShare).length,
    afterFirstBadMs: bad.length === 0 ? 0 : Math.max(0, lastAt - firstBadAt),
  };
}

/** Another version that all have agreed to gets no user before a person has resumed the lane. */
async function heldUntilResumed(ground: Ground, climbing: Climb): Promise<readonly string[]> {
  const { driver, doors } = ground;
  const { name, prototype, lane } = climbing.desk;
  const order = { name, version: `${climbing.version}-next`, badShare: 0 };
  const next = await opened(ground, { prototype, order, policy: 'still' });
  await eventually('the next version to be held', async () => {
    const found = await shown(doors.bea, next);
    const waiting = found.gates.find(({ status }) => status === 'waiting');
    if (waiting !== undefined) await agreed(doors, waiting);
    return found.state === 'held';
  });
  const entries = await recordsOf(driver.stage).entriesOf('lane', lane);
  const taken = entries.some(({ kind, body }) => kind === 'lane_acquired' && body.promotion === next);
  await doors.olga.post(`/v1/promotions/${next}/cancel`, { reason: 'it was to be held' });
  return taken ? ['the next version took a held lane'] : [];
}
