import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventually } from '../eventually.ts';
import { registered } from '../journey.ts';
import type { Stage } from '../stage.ts';
import { type Climb, cleared, climb, type Desk, type Ground, metAt, opened, servedPercent, shown } from './climb.ts';
import { turn } from './fickle-release.ts';
import { raisedAfterWayBack } from './late-write.ts';
import { recordsOf, type StoredEntry } from './records.ts';

/** What somebody who can talk to Temporal does to a run. */
export const losses = ['terminated', 'cancelled', 'reset'] as const;
/** One of them. */
export type LossName = (typeof losses)[number];

/** What came of it. */
export interface LostRun {
  readonly loss: LossName;
  /** From the loss until the edge served it to nobody. */
  readonly zeroMs: number;
  /** From the loss to the last request that it got. */
  readonly metMs: number;
  readonly outcome: string | null;
  readonly violations: readonly string[];
}

const usersPerSecond = 20;
/** What the page promises. */
const zeroMsMax = 60_000;
/** A share lapses within half a minute, and the reconciler looks at what rested for as long. */
const endMsMax = 150_000;
const pollMs = 200;
/** Two heartbeats: by then whoever looked for the run that is gone looks no more. */
const noticedMs = 3_000;

/**
 * The run of a promotion at a quarter of all users is ended, cancelled or set back to its beginning, and its version turns
 * bad as soon as nobody looks. Another one still waits for people, and its run has the same fate: nothing may come of that at all.
 */
export async function lostRun(
  ground: Ground,
  desk: Desk,
  order: { readonly loss: LossName; readonly version: string; readonly unasked: UnaskedDesk },
): Promise<LostRun> {
  const { driver, witnesses } = ground;
  const { loss, version } = order;
  witnesses.send(desk.host, usersPerSecond);
  const climbing = await climb(ground, desk, { version, badShare: 0, policy: 'still' });
  const unasked = await waiting(ground, order);
  await metAt(ground, climbing, 25);
  const strikeAt = Date.now();
  await Promise.all([climbing.promotion, unasked].map((promotion) => struck(driver.stage, loss, promotion)));
  const zero = nobodyAt(ground, desk);
  await pause(noticedMs);
  // Whoever cancels means it: then there is nobody left to be turned.
  if (loss !== 'cancelled') await turn(witnesses, { host: desk.host, version, badShare: 0.5 });
  const zeroAt = await zero;
  const { outcome } = await ended(ground, climbing);
  const told = witnesses.told(desk.host);
  const met = told.filter((one) => one.version === version).map(({ sentAt }) => sentAt - strikeAt);
  const facts = { zeroMs: zeroAt - strikeAt, metMs: Math.max(0, ...met), outcome };
  const violations = [...(await judged(ground, climbing, { ...facts, loss })), ...(await unaskedFor(ground, unasked))];
  await cleared(ground, climbing);
  return { loss, ...facts, violations };
}

/** A prototype of which nothing ever goes to users. */
export type UnaskedDesk = Pick<Desk, 'name' | 'prototype'>;

/** Registers one. */
export async function openUnaskedDesk({ doors }: Pick<Ground, 'doors'>, name: string): Promise<UnaskedDesk> {
  return { name, prototype: await registered(doors, name) };
}

/** A promotion that nobody has agreed to. */
async function waiting(
  ground: Ground,
  { unasked, version }: { readonly unasked: UnaskedDesk; readonly version: string },
): Promise<string> {
  const { doors } = ground;
  const { name, prototype } = unasked;
  const promotion = await opened(ground, { prototype, order: { name, version, badShare: 0 }, policy: 'quick' });
  await eventually('a gate that waits', async () => {
    const { gates } = await shown(doors.bea, promotion);
    return gates.some(({ status }) => status === 'waiting');
  });
  return promotion;
}

const words: Readonly<Record<LossName, readonly string[]>> = {
  terminated: ['terminate', '--reason', 'e2e'],
  cancelled: ['cancel'],
  reset: ['reset', '--type', 'FirstWorkflowTask', '--reason', 'e2e'],
};

/** By Temporal's own program, as anybody would who can reach it, again while the server says that the run is busy. */
async function struck({ temporal }: Stage, loss: LossName, promotion: string): Promise<void> {
  const named = ['--workflow-id', `promotion/${promotion}`, '--address', temporal.address];
  const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent' };
  const told = ['workflow', ...words[loss], ...named];
  const answer = await eventually('Temporal to have time for the order', async () => {
    try {
      return await promisify(execFile)(temporal.binary, told, { timeout: 10_000, env });
    } catch (error) {
      return String(error).includes('Workflow is busy')
        ? null
        : new Error('expected the order to be taken', { cause: error });
    }
  });
  if (answer instanceof Error) throw answer;
}

async function nobodyAt({ driver }: Ground, desk: Desk): Promise<number> {
  await eventually(
    `${desk.name} to be back`,
    async () => (await servedPercent(driver.stage, desk.lane)) === 0,
    zeroMsMax + 2 * pollMs,
  ).catch(() => null);
  return Date.now();
}

async function ended(ground: Ground, { promotion }: Climb): Promise<{ readonly outcome: string | null }> {
  return await eventually(
    `${promotion} to end`,
    async () => {
      const found = await shown(ground.doors.bea, promotion);
      return found.outcome === null ? null : found;
    },
    endMsMax,
  ).catch(() => ({ outcome: null }));
}

async function judged(
  { driver }: Ground,
  { desk, promotion }: Climb,
  { loss, zeroMs, metMs, outcome }: Pick<LostRun, 'loss' | 'zeroMs' | 'metMs' | 'outcome'>,
): Promise<readonly string[]> {
  const records = recordsOf(driver.stage);
  const [lane, entries] = await Promise.all([
    records.entriesOf('lane', desk.lane),
    records.entriesOf('promotion', promotion),
  ]);
  const rightEnd = loss === 'cancelled' ? 'cancelled' : 'rolled_back';
  const deployed = lane.filter(
    ({ kind, body }) => kind === 'release_deployed' && (body.release as { promotion: string }).promotion === promotion,
  ).length;
  const wrong: readonly (readonly [boolean, string])[] = [
    [zeroMs > zeroMsMax, `served for ${zeroMs} ms`],
    [metMs > zeroMsMax, `met ${metMs} ms later`],
    [outcome !== rightEnd, `expected ${rightEnd}, got ${outcome ?? 'no end'}`],
    [deployed !== 1, `deployed ${deployed} times`],
    [raisedAfterWayBack({ lane, promotion: entries }), 'a share was raised after the way back'],
    [!isAgreed(entries), 'deployed before two people had agreed'],
  ];
  return wrong.flatMap(([is, what]) => (is ? [`${desk.name}: ${what}`] : []));
}

/** Two people had agreed before the first claim of users. */
function isAgreed(entries: readonly StoredEntry[]): boolean {
  const first = entries.findIndex(({ kind, body }) => kind === 'step_claimed' && body.gate === 'canary');
  const votes = entries
    .slice(0, first)
    .filter(({ kind }) => kind === 'decision_recorded')
    .map(({ body }) => (body.decision as { person: string }).person);
  return first === -1 || new Set(votes).size >= 2;
}

/** Whatever was done to its run, nobody has claimed anything for it. */
async function unaskedFor({ driver, doors }: Ground, promotion: string): Promise<readonly string[]> {
  const entries = await recordsOf(driver.stage).entriesOf('promotion', promotion);
  const claimed = entries.filter(({ kind }) => kind === 'step_claimed').length;
  const { outcome, id } = await shown(doors.bea, promotion);
  if (outcome === null) await doors.olga.post(`/v1/promotions/${id}/cancel`, { reason: 'seen enough' });
  const isEnded = outcome !== null && outcome !== 'cancelled';
  return claimed > 0 || isEnded ? [`${promotion}: ${claimed} claims without a vote, ended ${outcome}`] : [];
}
