import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gatePassOf } from '@proviso/targets';
import { uploadedCandidate } from '../candidate.ts';
import { eventually } from '../eventually.ts';
import { askHost } from '../host-request.ts';
import { type Doors, type Driver, followedToEnd, registered } from '../journey.ts';
import type { Aims, Neighbour } from './aims.ts';
import { hostileArchive } from './archive.ts';
import { type Attack, attacksOf } from './attack.ts';
import { seenAtEdge, type SeenRelease } from '../edge-sight.ts';
import type { Families } from './families.ts';
import { reachOut, type Siege, takeMemory, takeRoom } from './siege.ts';

/** Everything that a phase needs. */
export interface Ground {
  readonly driver: Driver;
  readonly doors: Doors;
  readonly folder: string;
  readonly families: Families;
  readonly quick: boolean;
  /** The way in which everything is to be isolated: an attack on another way proves nothing about this one. */
  readonly way: string;
  readonly say: (line: string) => void;
}

/** A version of the hostile prototype on its way, or live. */
export interface Placed {
  readonly promotion: string;
  readonly lane: string;
  readonly host: string;
}

/** Brings a version to all users, with all its bad habits asleep. */
export async function placed({ driver, doors }: Ground, name: string): Promise<Placed> {
  const promotion = await opened({ driver, doors }, { name, holds: false });
  const { outcome, trouble } = await followedToEnd(driver, { doors, name, plot: 'good' }, promotion);
  if (outcome !== 'live') throw new Error(`expected ${name} to go live, got ${outcome ?? trouble ?? 'nothing'}`);
  driver.visitors.send(`${name}.localhost`, 0);
  const { lane } = await doors.bea.get<{ lane: { id: string } }>(`/v1/promotions/${promotion}`);
  // The decision comes first, and the edge pulls it: until then some visitors of a first version still meet nobody.
  await eventually('the edge to serve it to all', async () => {
    const { lanes } = await seenAtEdge(driver.stage);
    return lanes.some((each) => each.lane === lane.id && each.weightServedPercent === 0);
  });
  return { promotion, lane: lane.id, host: `${name}.localhost` };
}

async function opened(
  { driver, doors }: Pick<Ground, 'driver' | 'doors'>,
  order: { readonly name: string; readonly holds: boolean },
): Promise<string> {
  const prototype = await registered(doors, order.name);
  const candidate = await uploadedCandidate(doors.bea, { prototype, version: 'v1', archive: hostileArchive(order) });
  const body = { prototype, candidate, policy: driver.policy };
  return (await doors.bea.post<{ id: string }>('/v1/promotions', body)).id;
}

/** A live lane as its neighbours could try to reach it. */
export async function neighbourOf({ driver, folder }: Ground, { lane }: Placed): Promise<Neighbour> {
  const { pid = 0, port = 0 } = (await stableOf(driver, lane)) ?? {};
  const state: { runs: readonly { pid: number; runFolder?: string | null }[] } = JSON.parse(
    readFileSync(join(folder, 'edge', 'state.json'), 'utf8'),
  );
  const runFolder = state.runs.find((run) => run.pid === pid)?.runFolder ?? null;
  if (runFolder === null) return { pid, tcp: [`127.0.0.1:${port}`], unix: [] };
  return { pid, tcp: [], unix: [join(runFolder, 'in.sock')] };
}

async function stableOf({ stage }: Driver, lane: string): Promise<SeenRelease | null> {
  const { lanes } = await seenAtEdge(stage);
  return lanes.find((each) => each.lane === lane)?.releases[0] ?? null;
}

/** The same script without isolation, which connects, looks and reads only. */
export async function bareAttacks({ aims, wish }: Aims): Promise<readonly Attack[]> {
  const script = new URL('../../libs/isolation/src/attacks/reach.mjs', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, JSON.stringify(wish)], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return attacksOf('bare', aims, JSON.parse(await text(child.stdout)));
}

/** Attacks out of candidates on trial; memory is taken in a trial of its own, since that may end it. */
export async function evaluationAttacks(ground: Ground, aims: Aims): Promise<readonly Attack[]> {
  const headsBefore = new Set(ground.families.heads());
  const reached = await onTrial(ground, { name: 'hostile-on-trial', aims }, async (siege) => {
    return [...(await reachOut(siege)), ...(await takeRoom(siege))];
  });
  const memory = await onTrial(ground, { name: 'greedy-on-trial', aims }, takeMemory);
  const heads = ground.families.heads().filter((head) => !headsBefore.has(head));
  return [...reached, ...memory, await survivorsOf(ground, 'evaluation', heads)];
}

type Play = (siege: Siege) => Promise<readonly Attack[]>;

/** Its evaluation lasts until the attack is over. */
async function onTrial(
  ground: Ground,
  { name, aims }: { readonly name: string; readonly aims: Aims },
  play: Play,
): Promise<readonly Attack[]> {
  const { driver, doors } = ground;
  const promotion = await opened(ground, { name, holds: true });
  const trialNow = async () => {
    const { trials } = await seenAtEdge(driver.stage);
    return trials.find(({ release }) => release.release.includes(promotion.slice('prm_'.length))) ?? null;
  };
  const { host } = await eventually('the trial to be ready', async () => {
    const found = await trialNow();
    return found?.release.state === 'ready' && found;
  });
  const seen = async (): Promise<SeenRelease | null> => (await trialNow())?.release ?? null;
  const found = await besieged(ground, { phase: 'evaluation', host, aims, seen }, play);
  await askHost({ ...doorOf(ground), host, path: '/let-go' }).catch(() => null);
  await doors.olga.post(`/v1/promotions/${promotion}/cancel`, { reason: 'seen enough' }).catch(() => null);
  await eventually('the trial to be gone', async () => (await trialNow()) === null);
  return found;
}

/** Attacks out of a release that users have, then stops the edge as a person would. */
export async function releaseAttacks(ground: Ground, aims: Aims): Promise<readonly Attack[]> {
  const { driver, families, quick } = ground;
  const { lane, host } = await placed(ground, 'hostile');
  const seen = async (): Promise<SeenRelease | null> => await stableOf(driver, lane);
  const found = await besieged(ground, { phase: 'release', host, aims, seen }, async (siege) => {
    const reached = await reachOut(siege);
    return quick ? reached : [...reached, ...(await takeRoom(siege)), ...(await takeMemory(siege))];
  });
  await driver.stage.parts.edge.close();
  const worker = driver.stage.parts.worker.pid();
  const heads = families.heads().filter((head) => head !== worker);
  return [...found, await survivorsOf(ground, 'release', heads)];
}

/** Files of ours that attacks try to open for writing. */
export function keptBy(folder: string): readonly string[] {
  return ['secrets.json', 'postgres/canary', 'edge/state.json'].map((path) => join(folder, path));
}

function doorOf({ driver: { stage } }: Ground) {
  return { routerUrl: stage.routerUrl, pass: gatePassOf(stage.control.token) };
}

async function besieged(
  ground: Ground,
  order: Pick<Siege, 'phase' | 'host' | 'aims' | 'seen'>,
  play: Play,
): Promise<readonly Attack[]> {
  const { folder, families, way, say } = ground;
  const kept = keptBy(folder);
  const isolation = (await order.seen())?.isolation ?? 'unknown';
  if (isolation !== way) throw new Error(`expected ${order.host} to be isolated by ${way}, got ${isolation}`);
  say(`${order.phase}: ${order.host}, isolation ${isolation}`);
  const found = await play({ ...order, ...doorOf(ground), kept, say });
  await families.look();
  return found;
}

/** Processes end a moment after their release is gone from the report; whoever is there after that has survived. */
const endMsMax = 10_000;

async function survivorsOf(ground: Ground, phase: Siege['phase'], heads: readonly number[]): Promise<Attack> {
  return await leftBy(ground, phase, { heads, before: { members: 0, survivors: [] } });
}

/** Waits for the end of all who came from these processes, but for those who were there before. */
export async function leftBy(
  { families }: Ground,
  phase: Siege['phase'],
  { heads, before }: { readonly heads: readonly number[]; readonly before: ReturnType<Families['of']> },
): Promise<Attack> {
  const label = 'a survivor after stop';
  const left = (): readonly number[] => families.of(heads).survivors.filter((pid) => !before.survivors.includes(pid));
  await eventually('all processes to end', async () => left().length === 0, endMsMax).catch(() => null);
  const members = families.of(heads).members - before.members;
  const outcome = `${left().length} of ${members} left`;
  if (left().length > 0) return { label, phase, outcome, verdict: 'reached' };
  // The release, what it left behind on purpose, and the process between them.
  return { label, phase, outcome, verdict: members < 3 ? 'unproven' : 'kept away' };
}
