import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { builtinPrincipals, idFrom, type PromotionState, watchTimes } from '@proviso/domain';
import { watchIdOf } from '@proviso/workflow';
import type { Order } from '../order.ts';
import { type Ground, openGround } from './ground.ts';
import { dayMs, type Incident, incidents, liveRelease } from './incidents.ts';

/** What became of one release. */
export interface Watched {
  readonly name: string;
  readonly expected: string;
  /** Everything that the watch did to it, with the virtual day. */
  readonly did: readonly string[];
  readonly outcome: string;
  readonly hold: string | null;
  readonly looks: number;
  readonly right: boolean;
}

/** All releases, over all days. */
export interface WatchResult {
  readonly releases: readonly Watched[];
  readonly days: number;
  readonly looks: number;
  /** Schedules that came back after Temporal's database was taken away, of those there were. */
  readonly restored: { readonly before: number; readonly after: number };
  readonly elapsedMs: number;
  readonly passed: boolean;
}

const days = 90;
/** The promise of the command; the quick profile has two busy cores and no promise about time. */
const elapsedMsMax = 60_000;
const stepDays = { quick: 10, full: 6 } as const;
/** Temporal's database is taken away here: before some breaches and after others. */
const lossDay = 45;
const lookMsMax = 60_000;
const pollMs = 100;
/** Now and then the Schedules are kept, as the reconciler does in its rounds: what came back by a rollback needs one. */
const pollsPerRound = 10;

type Release = Awaited<ReturnType<typeof liveRelease>> & { readonly incident: Incident; readonly name: string };

/** Ninety days of eight live releases: each is looked at by its Schedule, and something happens to all but one. */
export async function watch({ quick, say }: Order): Promise<WatchResult> {
  const ground = await openGround();
  try {
    const step = stepDays[quick ? 'quick' : 'full'];
    const releases = await goLive(ground, step * dayMs);
    say(`${releases.length} releases are live`);
    const beganMs = performance.now();
    const restored = await passDays(ground, { releases, step, say });
    const elapsedMs = Math.round(performance.now() - beganMs);
    const told = await Promise.all(releases.map(async (release) => await toldOf(ground, release, step)));
    const looks = told.reduce((sum, one) => sum + one.looks, 0);
    const whole = told.every(({ right }) => right) && restored.after === restored.before;
    const passed = whole && (quick || elapsedMs <= elapsedMsMax);
    return { releases: told, days, looks, restored, elapsedMs, passed };
  } finally {
    await ground.close();
  }
}

/** A line for each release, then the sums. */
export function watchText({ releases, looks, restored, elapsedMs, passed }: WatchResult): string {
  const width = (of: (one: Watched) => string): number => Math.max(...releases.map((one) => of(one).length));
  const [names, asked] = [width(({ name }) => name), width(({ expected }) => expected)];
  return [
    ...releases.map(
      ({ name, expected, did, hold, right }) =>
        `${right ? 'right' : 'WRONG'}  ${name.padEnd(names)}  ${expected.padEnd(asked)}  ${did.join(', ') || 'nothing'}; lane ${hold === null ? 'free' : `held: ${hold}`}`,
    ),
    '',
    `${days} virtual days, ${looks} looks; Schedules after the loss of Temporal's database: ${restored.after} of ${restored.before}`,
    `${passed ? 'passed' : 'FAILED'} in ${(elapsedMs / 1_000).toFixed(1)} s (at most ${elapsedMsMax / 1_000} s)`,
  ].join('\n');
}

async function goLive({ world }: Ground, everyMs: number): Promise<readonly Release[]> {
  const administrator = idFrom('psn', randomUUID());
  const bindings = [{ role: 'administrator' }] as const;
  const person = { person: administrator, principal: 'human', bindings } as const;
  await world.submit(builtinPrincipals.founder.id, { kind: 'AddPerson', ...person });
  const releases: Release[] = [];
  for (const incident of incidents)
    releases.push({
      ...(await liveRelease(world, incident, { everyMs, administrator })),
      incident,
      name: incident.name,
    });
  return releases;
}

async function passDays(
  ground: Ground,
  { releases, step, say }: { readonly releases: readonly Release[]; readonly step: number; readonly say: Order['say'] },
): Promise<WatchResult['restored']> {
  let restored: WatchResult['restored'] = { before: 0, after: 0 };
  await looked(ground, releases);
  for (let day = step; day <= days; day += step) {
    await ground.clock.forward(step * dayMs);
    const today = new Date(Date.now() + ground.clock.aheadMs()).toISOString().slice(0, 10);
    for (const release of releases)
      if (release.incident.day > day - step && release.incident.day <= day)
        await release.incident.befall({ ...release, today });
    if (lossDay > day - step && lossDay <= day) {
      const before = (await ground.schedules()).length;
      await ground.loseTemporal();
      await settled(ground, async () => (await ground.schedules()).length === 0);
      await settled(ground, async () => (await ground.keep()).length === before);
      restored = { before, after: await countWhen(ground, before) };
      say(`day ${day}: Temporal's database is gone, ${restored.after} of ${before} Schedules came back`);
    } else {
      await nextSecond();
      for (const { state, production } of await serving(ground, releases))
        await ground.trigger(watchIdOf(production.state.id, state.id));
    }
    await looked(ground, releases);
  }
  return restored;
}

/** A new Schedule is listed a moment after it was made. */
async function countWhen(ground: Ground, expected: number): Promise<number> {
  await settled(ground, async () => (await ground.schedules()).length >= expected);
  return (await ground.schedules()).length;
}

/** Waits until every release that still serves was looked at by all checks that are due. */
async function looked(ground: Ground, releases: readonly Release[]): Promise<void> {
  const now = Date.now() + ground.clock.aheadMs();
  let polls = 0;
  await settled(ground, async () => {
    if (polls % pollsPerRound === 0) await ground.keep();
    polls += 1;
    return (await serving(ground, releases)).every(({ state }) => {
      const rule = state.policy.watch;
      const checks = Object.keys(rule ?? {}).filter((name) => name !== 'everyMs');
      return checks.every((check) => {
        const at = state.watch?.[check as keyof NonNullable<PromotionState['watch']>]?.at ?? 0;
        return at + (rule?.everyMs ?? 0) / 2 > now;
      });
    });
  });
}

/**
 * The promotions whose releases serve. Each has a Schedule by a name that follows from it; a list of them may lag behind
 * one that was made a moment ago, and what it leaves out would not be fired.
 */
async function serving({ world }: Ground, releases: readonly Release[]) {
  const ids = releases.flatMap(({ promotion, before }) => [promotion, before].filter((id) => id !== null));
  const views = await Promise.all(ids.map(world.view));
  return views.flatMap(({ state, production }) =>
    production?.state.stable?.promotion === state.id && state.outcome === 'live' ? [{ state, production }] : [],
  );
}

/** Temporal names a run by the second in which it was fired, and takes another one of that second for the same. */
async function nextSecond(): Promise<void> {
  await pause(1_000 - (Date.now() % 1_000));
}

async function settled(ground: Ground, is: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + lookMsMax;
  while (!(await is().catch(() => false))) {
    if (performance.now() > deadline)
      throw new Error(`expected every look within ${lookMsMax} ms; the worker said ${ground.said().join('; ')}`);
    await pause(pollMs);
  }
}

/** Everything that the watch did to a release, out of the journal's own entries. */
async function toldOf(ground: Ground, release: Release, step: number): Promise<Watched> {
  const { world } = ground;
  const { incident, name, promotion, before } = release;
  const { state, production } = await world.view(promotion);
  const entries = await world.journal
    .reads(world.workspace)
    .history({ stream: 'promotion', id: promotion, limit: 1_000 });
  const reports = entries
    .filter(({ kind }) => kind === 'watch_reported')
    .map(({ at, bytes }) => ({ at, ...bodyOf(bytes) }));
  const from =
    state.endedAt === null ? 0 : Date.parse(entries.find(({ kind }) => kind === 'promotion_ended')?.at ?? '');
  const dayOf = (at: string): number => Math.round((Date.parse(at) - from) / dayMs);
  const done = reports.filter(({ action }) => action !== null);
  const did = done.map(({ at, check, action }) => `${action} by ${check} on day ${dayOf(at)}`);
  const due = Math.ceil(incident.day / step) * step;
  const [first] = done;
  const asOrdered =
    incident.action === null
      ? done.length === 0
      : done.length === 1 &&
        first?.check === incident.check &&
        first.action === incident.action &&
        dayOf(first.at) - due <= (incident.rows.everyMs ?? 0) / dayMs;
  const serves = production?.state.stable?.promotion ?? null;
  const expectedToServe = isTakenBack(incident) ? before : promotion;
  const right = asOrdered && serves === expectedToServe && watchEnds(state, serves === promotion);
  return {
    ...{ name, did, outcome: state.outcome ?? '', hold: production?.state.hold?.reason ?? null, right },
    expected: incident.action === null ? 'nothing' : `${incident.action} after day ${incident.day}`,
    looks: reports.length,
  };
}

function isTakenBack({ action }: Incident): boolean {
  return action === 'demote' || action === 'rollback';
}

function watchEnds(state: PromotionState, serves: boolean): boolean {
  return (watchTimes(state, serves).next !== null) === serves;
}

interface Body {
  readonly check: string;
  readonly action: string | null;
}

function bodyOf(bytes: string): Body {
  return (JSON.parse(bytes) as { body: Body }).body;
}
