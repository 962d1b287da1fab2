import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { uploadedCandidate } from '../candidate.ts';
import { eventually } from '../eventually.ts';
import { askHost } from '../host-request.ts';
import { type Doors, type Driver, followedToEnd, registered } from '../journey.ts';
import type { Aims, Neighbour } from './aims.ts';
import { hostileArchive } from './archive.ts';
import { type Attempt, attemptsOf } from './attempt.ts';
import { seenAtEdge, type SeenRelease } from './edge-sight.ts';
import type { Families } from './families.ts';
import { reachOut, type Siege, takeEverything } from './siege.ts';

/** Everything that a phase needs. */
export interface Ground {
  readonly driver: Driver;
  readonly doors: Doors;
  readonly folder: string;
  readonly families: Families;
  readonly quick: boolean;
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
export async function bareAttempts({ aims, wish }: Aims): Promise<readonly Attempt[]> {
  const script = new URL('../../libs/isolation/src/attacks/reach.mjs', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, JSON.stringify(wish)], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return attemptsOf('bare', aims, JSON.parse(await text(child.stdout)));
}

/** Attacks out of a candidate's trial; its evaluation lasts until the attacks are over. */
export async function evaluationAttempts(ground: Ground, aims: Aims): Promise<readonly Attempt[]> {
  const { driver, doors, families } = ground;
  const headsBefore = new Set(families.heads());
  const promotion = await opened(ground, { name: 'hostile-on-trial', holds: true });
  const trialNow = async () => {
    const { trials } = await seenAtEdge(driver.stage);
    return trials.find(({ release }) => release.release.includes(promotion.slice('prm_'.length))) ?? null;
  };
  const trial = await eventually('the trial to be ready', async () => {
    const found = await trialNow();
    return found?.release.state === 'ready' && found;
  });
  const seen = async (): Promise<SeenRelease | null> => (await trialNow())?.release ?? null;
  const found = await besieged(ground, { phase: 'evaluation', host: trial.host, aims, seen });
  await askHost({ routerUrl: driver.stage.routerUrl, host: trial.host, path: '/let-go' }).catch(() => null);
  await doors.olga.post(`/v1/promotions/${promotion}/cancel`, { reason: 'seen enough' }).catch(() => null);
  await eventually('the trial to be gone', async () => (await trialNow()) === null);
  const heads = families.heads().filter((head) => !headsBefore.has(head));
  return [...found, await survivorsOf(ground, 'evaluation', heads)];
}

/** Attacks out of a release that users have, then stops the edge as a person would. */
export async function releaseAttempts(ground: Ground, aims: Aims): Promise<readonly Attempt[]> {
  const { driver, families } = ground;
  const { lane, host } = await placed(ground, 'hostile');
  const seen = async (): Promise<SeenRelease | null> => await stableOf(driver, lane);
  const found = await besieged(ground, { phase: 'release', host, aims, seen });
  await driver.stage.parts.edge.close();
  return [...found, await survivorsOf(ground, 'release', families.heads())];
}

async function besieged(
  ground: Ground,
  order: Pick<Siege, 'phase' | 'host' | 'aims' | 'seen'>,
): Promise<readonly Attempt[]> {
  const { driver, folder, families, quick, say } = ground;
  const kept = [join(folder, 'secrets.json'), join(folder, 'postgres', 'canary'), join(folder, 'edge', 'state.json')];
  const siege: Siege = { ...order, kept, routerUrl: driver.stage.routerUrl, say };
  const way = (await order.seen())?.isolation ?? 'none';
  say(`${order.phase}: reaching out, isolation ${way}`);
  const reached = await reachOut(siege);
  await families.look();
  if (quick) return reached;
  say(`${order.phase}: taking everything`);
  return [...reached, ...(await takeEverything(siege))];
}

/** Processes end a moment after their release is gone from the report; whoever is there after that has survived. */
const endMsMax = 10_000;

async function survivorsOf({ families }: Ground, phase: Siege['phase'], heads: readonly number[]): Promise<Attempt> {
  const label = 'a survivor after stop';
  await eventually('all processes to end', async () => families.of(heads).survivors.length === 0, endMsMax).catch(
    () => null,
  );
  const { members, survivors } = families.of(heads);
  const outcome = `${survivors.length} of ${members} left`;
  if (survivors.length > 0) return { label, phase, outcome, verdict: 'reached' };
  // The release, what it left behind on purpose, and the process between them.
  return { label, phase, outcome, verdict: members < 3 ? 'unproven' : 'kept away' };
}
