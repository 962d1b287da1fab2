import { setTimeout as pause } from 'node:timers/promises';
import { uploadedCandidate } from '../candidate.ts';
import type { Door } from '../door.ts';
import { eventually } from '../eventually.ts';
import { type Doors, type Driver, openDoors, type PromotionDocument, registered } from '../journey.ts';
import { type FickleOrder, fickleArchive } from './fickle-release.ts';
import { openWitnesses, type Witnesses } from './witnesses.ts';

/** A deployment with people who decide and visitors who tell. */
export interface Ground {
  readonly driver: Driver;
  readonly doors: Doors;
  readonly witnesses: Witnesses;
  readonly say: (line: string) => void;
}

/** A prototype with a version that is live; further versions are tried on it. */
export interface Desk {
  readonly name: string;
  readonly prototype: string;
  readonly lane: string;
  readonly host: string;
  /** The version that everybody else meets. */
  live: string;
}

/** A promotion at its canary. */
export interface Climb {
  readonly desk: Desk;
  readonly promotion: string;
  readonly version: string;
}

const firstVersion = 'v0';
/** Enough to prove a first version in seconds. */
const firstPerSecond = 30;
const pollMs = 200;
/** A start, a few looks and their dwell, on busy cores. */
const climbMsMax = 120_000;

/** Plays on a driver's deployment with witnesses of its own. */
export async function onGround<T>(
  driver: Driver,
  say: (line: string) => void,
  play: (ground: Ground) => Promise<T>,
): Promise<T> {
  const witnesses = openWitnesses(driver.stage.routerUrl);
  try {
    return await play({ driver, doors: openDoors(driver), witnesses, say });
  } finally {
    await witnesses.stop();
  }
}

/** Registers a prototype and brings its first version to live under the policy of that name. */
export async function openDesk(ground: Ground, name: string, policy: string): Promise<Desk> {
  const { driver, doors, witnesses } = ground;
  const prototype = await registered(doors, name);
  const host = `${name}.localhost`;
  const order = { name, version: firstVersion, badShare: 0 };
  const promotion = await opened(ground, { prototype, order, policy });
  witnesses.send(host, firstPerSecond);
  const { lane } = await followed(ground, promotion, ({ outcome }) => outcome !== null);
  witnesses.send(host, 0);
  witnesses.forget(host);
  if (lane === null) throw new Error(`expected ${name} to have a lane, got none`);
  // Until the edge has followed, some are told that it is not their turn yet, as in any first release.
  await eventually(`${name} to be open to all`, async () => (await servedPercent(driver.stage, lane.id)) === 0);
  return { name, prototype, lane: lane.id, host, live: firstVersion };
}

/** Uploads a version, opens its promotion under the policy of that name, and has people agree to it. */
export async function climb(
  ground: Ground,
  desk: Desk,
  order: Omit<FickleOrder, 'name'> & { readonly policy: string },
): Promise<Climb> {
  const { name, prototype } = desk;
  const { policy, ...version } = order;
  const promotion = await opened(ground, { prototype, order: { ...version, name }, policy });
  await followed(ground, promotion, ({ at }) => at === 'canary');
  return { desk, promotion, version: order.version };
}

/** Uploads a version and opens its promotion; nobody has agreed to it yet. */
export async function opened(
  { driver, doors }: Pick<Ground, 'driver' | 'doors'>,
  { prototype, order, policy }: { readonly prototype: string; readonly order: FickleOrder; readonly policy: string },
): Promise<string> {
  const version = { prototype, version: order.version, archive: fickleArchive(order) };
  const candidate = await uploadedCandidate(doors.bea, version);
  const pinned = driver.stage.cast.policies[policy]?.id;
  return (await doors.bea.post<{ id: string }>('/v1/promotions', { prototype, candidate, policy: pinned })).id;
}

/** Waits until a promotion is as wanted; whoever is asked on the way agrees. */
export async function followed(
  { doors }: Pick<Ground, 'doors'>,
  promotion: string,
  isThere: (found: PromotionDocument) => boolean,
): Promise<PromotionDocument> {
  const deadline = Date.now() + climbMsMax;
  for (;;) {
    const found = await shown(doors.bea, promotion);
    if (isThere(found)) return found;
    const waiting = found.gates.find(({ status }) => status === 'waiting');
    if (waiting !== undefined) await agreed(doors, waiting);
    if (Date.now() > deadline)
      throw new Error(`expected ${promotion} to go on within ${climbMsMax} ms, got ${found.state} at ${found.at}`);
    await pause(pollMs);
  }
}

/** A promotion as its builder sees it. */
export async function shown(door: Door, promotion: string): Promise<PromotionDocument> {
  return await door.get<PromotionDocument>(`/v1/promotions/${promotion}`);
}

/** The two who must agree, one after the other: whether votes may race is the business of others. */
export async function agreed({ sam, olga }: Doors, gate: PromotionDocument['gates'][number]): Promise<void> {
  const { id, attempt, artifactDigest, evidenceDigest } = gate;
  const body = { verdict: 'approve', reason: 'looked at it', attempt, artifactDigest, evidenceDigest };
  for (const door of [sam, olga]) await door.post(`/v1/gates/${id}/decisions`, body);
}

/** Waits until visitors really meet a version at this share: by what the edge says and by what they tell. */
export async function metAt(ground: Ground, { desk, version }: Climb, percent: number): Promise<void> {
  const { driver, witnesses } = ground;
  await eventually(
    `${version} of ${desk.name} to be met at ${percent} %`,
    async () =>
      (await servedPercent(driver.stage, desk.lane)) === percent &&
      witnesses.told(desk.host).filter((one) => one.version === version).length >= metMin,
    climbMsMax,
  );
}

/** So many have met it before anything is done to it. */
const metMin = 5;

/** The canary's share of a lane as the edge serves it this instant. */
export async function servedPercent({ control }: Driver['stage'], lane: string): Promise<number> {
  const headers = { authorization: `Bearer ${control.token}` };
  const asked = await fetch(`${control.url}/lanes/${lane}`, { headers, signal: AbortSignal.timeout(5_000) });
  return ((await asked.json()) as { weightServedPercent: number }).weightServedPercent;
}

/** Sends visitors away and makes room for the next version, whatever became of this one: a way back holds the lane. */
export async function cleared(ground: Ground, { desk, promotion }: Climb): Promise<void> {
  const { doors, witnesses } = ground;
  const { outcome } = await shown(doors.bea, promotion);
  if (outcome === null) await doors.olga.post(`/v1/promotions/${promotion}/cancel`, { reason: 'seen enough' });
  await followed(ground, promotion, (found) => found.outcome !== null);
  await doors.olga.post(`/v1/lanes/${desk.lane}/resume`, { reason: 'on with the next version' });
  witnesses.send(desk.host, 0);
  witnesses.forget(desk.host);
}
