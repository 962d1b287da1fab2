import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { type Climb, cleared, climb, type Desk, type Ground, metAt, servedPercent, shown } from './climb.ts';
import { turn } from './fickle-release.ts';
import { begin, type Links, type Outage } from './outage.ts';
import { recordsOf, type StoredLook } from './records.ts';
import { failureInWords } from './witnesses.ts';

/** What came of one outage for one canary that turned bad in it. */
export interface BlindRound extends Outage {
  /** From the outage until the edge served the canary to nobody, and nobody met it any more. */
  readonly zeroMs: number;
  /** From the outage to the last request that the canary got, however late. */
  readonly metMs: number;
  readonly stableAsked: number;
  /** The judge's memory before and after: how many looks it had, and how many of the canary's users. */
  readonly looks: readonly [number, number];
  readonly violations: readonly string[];
}

/** Longer than a lease, so that what ends the share is not the end of the outage. */
const outageMs: Readonly<Record<Outage['manner'], number>> = { frozen: 40_000, killed: 40_000, parted: 60_000 };
const zeroMsMax = 60_000;
const usersPerSecond = 20;
const badShare = 0.5;
const watchMs = 200;
/** Temporal gives a killed worker's step to the next one after its heartbeat, and a reconciler looks at what rests. */
const endMsMax = 120_000;
/** Looks of the judge before anything happens: evidence that must not be lost. */
const looksMin = 3;

/** Brings every desk to a canary at a quarter of all users, begins an outage, turns all of them bad, and ends it. */
export async function blindStrike(
  ground: Ground,
  links: Links,
  { desks, outage, version }: { readonly desks: readonly Desk[]; readonly outage: Outage; readonly version: string },
): Promise<readonly BlindRound[]> {
  const { driver, witnesses } = ground;
  const climbs = await Promise.all(desks.map(async (desk) => await ready(ground, desk, version)));
  const before = await Promise.all(climbs.map(async ({ promotion }) => await newestLook(ground, promotion)));
  const strikeAt = Date.now();
  const over = await begin(driver.stage, links, outage);
  const watching = watch(ground, desks);
  await Promise.all(desks.map(({ host }) => turn(witnesses, { host, version, badShare })));
  await pause(outageMs[outage.manner] - (Date.now() - strikeAt));
  await over();
  const done = await Promise.all(
    climbs.map(async (climbing, index) => {
      const outcome = await endOf(ground, climbing);
      const first = before[index];
      const last = await newestLook(ground, climbing.promotion);
      return judged(ground, climbing, { outage, strikeAt, outcome, first, last, servedAt: watching.servedAt });
    }),
  );
  watching.end();
  for (const climbing of climbs) await cleared(ground, climbing);
  return done;
}

async function ready(ground: Ground, desk: Desk, version: string): Promise<Climb> {
  ground.witnesses.send(desk.host, usersPerSecond);
  const climbing = await climb(ground, desk, { version, badShare: 0, policy: 'still' });
  await metAt(ground, climbing, 25);
  await eventually('looks', async () => ((await newestLook(ground, climbing.promotion))?.looks ?? 0) >= looksMin);
  return climbing;
}

async function newestLook({ driver }: Pick<Ground, 'driver'>, promotion: string): Promise<StoredLook | undefined> {
  return (await recordsOf(driver.stage).looks(promotion)).at(-1);
}

/** Asks the edge over and over what it serves; keeps when each canary was last served to anybody. */
function watch({ driver }: Ground, desks: readonly Desk[]) {
  const servedAt = new Map<string, number>();
  const over = new AbortController();
  void (async () => {
    while (!over.signal.aborted) {
      await Promise.all(
        desks.map(async ({ lane }) => {
          const percent = await servedPercent(driver.stage, lane).catch(() => 0);
          if (percent > 0) servedAt.set(lane, Date.now());
        }),
      );
      await pause(watchMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  return { servedAt, end: () => over.abort() };
}

async function endOf({ doors }: Ground, { promotion }: Climb): Promise<string | null> {
  return await eventually(
    `${promotion} to end`,
    async () => (await shown(doors.bea, promotion)).outcome,
    endMsMax,
  ).catch(() => null);
}

function judged(
  { witnesses }: Ground,
  { desk, version }: Climb,
  seen: {
    readonly outage: Outage;
    readonly strikeAt: number;
    readonly outcome: string | null;
    readonly first: StoredLook | undefined;
    readonly last: StoredLook | undefined;
    readonly servedAt: ReadonlyMap<string, number>;
  },
): BlindRound {
  const { outage, strikeAt, outcome, first, last, servedAt } = seen;
  const told = witnesses.told(desk.host).filter(({ sentAt }) => sentAt >= strikeAt);
  const met = told.filter((one) => one.version === version).map(({ sentAt }) => sentAt - strikeAt);
  const metMs = Math.max(0, ...met);
  const zeroMs = Math.max(metMs, (servedAt.get(desk.lane) ?? strikeAt) - strikeAt);
  const others = told.filter((one) => one.version !== version);
  const failed = others.filter((one) => one.version !== desk.live || one.status !== 200);
  const how = failed.slice(0, 3).map((one) => failureInWords(one, strikeAt));
  const wrong: readonly (readonly [boolean, string])[] = [
    [zeroMs > zeroMsMax, `served for ${zeroMs} ms, last met after ${metMs} ms`],
    [failed.length > 0, `${failed.length} of ${others.length} requests to stable failed: ${how.join('; ')}`],
    [outcome !== 'rolled_back', `ended ${outcome ?? 'not at all'}`],
    [!hasGoneOn(first, last), `evidence: ${JSON.stringify(first)} became ${JSON.stringify(last)}`],
  ];
  return {
    ...outage,
    ...{ zeroMs, metMs, stableAsked: others.length, looks: [first?.looks ?? 0, last?.looks ?? 0] },
    violations: wrong.flatMap(([is, what]) => (is ? [`${desk.name}: ${what}`] : [])),
  };
}

/** The same memory with more in it: a judge that had begun anew would have seen fewer looks and users than before. */
function hasGoneOn(first: StoredLook | undefined, last: StoredLook | undefined): boolean {
  if (first === undefined || last === undefined) return false;
  const grown = last.number > first.number && last.looks > first.looks && last.canaryUnits > first.canaryUnits;
  return (
    grown && last.badUnits > first.badUnits && last.logEvidenceMax > first.logEvidenceMax && last.move === 'condemn'
  );
}
