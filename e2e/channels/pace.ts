import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Crowd, askedAbout, finalAbout, opened, percentileOf } from './crowd.ts';
import { type Answered, wayOf } from './played-channel.ts';

/** So many people at so many gates, one after the other at this pace. */
export interface Pressing {
  readonly voters: number;
  readonly gates: number;
  readonly perSecond: number;
  /** Whether times are judged; where other tests keep the cores busy they are only told. */
  readonly isTimed: boolean;
}

/** How soon presses were acknowledged and messages final. */
export interface Pace extends Pressing {
  readonly presses: number;
  readonly recorded: number;
  /** What the database says about syncing, so that nobody measures another one. */
  readonly durability: string;
  readonly acknowledgedMs: { readonly median: number; readonly p99: number };
  /** An answer with nothing in it, at the same pace: what the machine itself takes. */
  readonly emptyMs: number;
  /** How many wanted each core in the last minute, this deployment included. */
  readonly loadPerCore: number;
  /** From the acknowledgement of the vote that decided to the last change of a message. */
  readonly finalMs: number;
  readonly findings: readonly string[];
}

const acknowledgedMsMax = 500;
const finalMsMax = 2_000;
/** On a quiet machine an empty answer takes less; on a busy one presses wait for the processor like all else. */
const quietMs = 10;
/** More than a deployment under its demo brings along: somebody else wants the cores, and times say nothing about us. */
const quietLoadMax = 2;

/** Lets everybody press, and counts. */
export async function pressed(crowd: Crowd, pressing: Pressing): Promise<Pace> {
  const { stage, channel, voters } = crowd;
  const promotions: string[] = [];
  for (let gate = 0; gate < pressing.gates; gate += 1) promotions.push(await opened(crowd, `crowd-${gate}`));
  for (const promotion of promotions) await askedAbout(crowd, promotion);
  const { perSecond } = pressing;
  const empty = await paced(perSecond, perSecond, async () => {
    const startedAt = performance.now();
    await (await fetch(`${stage.apiUrl}/healthz`)).text();
    return performance.now() - startedAt;
  });
  const answers = await paced(perSecond, promotions.length * voters.length, async (index) => {
    const promotion = promotions[Math.floor(index / voters.length)] ?? '';
    const voter = voters[index % voters.length];
    if (voter === undefined) throw new Error('expected somebody who presses');
    return { promotion, ...(await channel.approve({ person: voter, promotion, way: wayOf(channel, index) })) };
  });
  const late = await Promise.all(promotions.map(async (promotion) => await finalMs(crowd, promotion, answers)));
  const acknowledged = answers.map(({ acknowledgedMs }) => acknowledgedMs);
  const found = {
    ...{ ...pressing, presses: answers.length, durability: await durabilityOf(stage.superuserUrl) },
    recorded: answers.filter(({ told }) => told.startsWith('Recorded')).length,
    acknowledgedMs: { median: percentileOf(acknowledged, 0.5), p99: percentileOf(acknowledged, 0.99) },
    ...{ emptyMs: percentileOf(empty, 0.99), finalMs: Math.max(...late) },
    loadPerCore: (loadavg()[0] ?? 0) / availableParallelism(),
  };
  crowd.say(paceText(found));
  return { ...found, findings: wrongIn(found) };
}

/** One line. */
export function paceText(pace: Omit<Pace, 'findings'>): string {
  const { presses, perSecond, recorded, durability, acknowledgedMs, emptyMs, finalMs: final } = pace;
  const [median, p99, empty, last] = [acknowledgedMs.median, acknowledgedMs.p99, emptyMs, final].map(Math.round);
  return (
    `${presses} presses at ${perSecond} a second, ${durability}: ${recorded} recorded; acknowledged in ${median} ms ` +
    `(median), ${p99} ms (p99), an empty answer ${empty} ms (p99); messages final ${last} ms after the vote that decided; ` +
    `load ${pace.loadPerCore.toFixed(1)} a core`
  );
}

function wrongIn(pace: Omit<Pace, 'findings'>): readonly string[] {
  const { presses, recorded, durability, acknowledgedMs, emptyMs, finalMs: final } = pace;
  const isQuiet = pace.isTimed && emptyMs <= quietMs && pace.loadPerCore <= quietLoadMax;
  return [
    ...(recorded === presses ? [] : [`expected ${presses} presses to be recorded, got ${recorded}`]),
    ...(durability === 'fsync on, synchronous_commit on' ? [] : [`expected a durable database, got ${durability}`]),
    ...(isQuiet && acknowledgedMs.p99 >= acknowledgedMsMax ? [`acknowledged in ${acknowledgedMs.p99} ms (p99)`] : []),
    ...(isQuiet && final >= finalMsMax ? [`messages were final after ${final} ms`] : []),
  ];
}

async function finalMs(
  crowd: Crowd,
  promotion: string,
  answers: readonly (Answered & { readonly promotion: string })[],
): Promise<number> {
  const finalAt = await finalAbout(crowd, promotion);
  const decided = answers.find((one) => one.promotion === promotion && one.told.includes('has passed'));
  if (decided === undefined) throw new Error(`expected a vote to decide ${promotion}, got none`);
  return finalAt - decided.acknowledgedAt;
}

/** Does so many things, each at its moment, however long those before it take. */
async function paced<T>(perSecond: number, count: number, work: (index: number) => Promise<T>): Promise<readonly T[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await pause((index * 1_000) / perSecond);
      return await work(index);
    }),
  );
}

async function durabilityOf(superuserUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    const asked = "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit";
    const { rows } = await client.query<{ fsync: string; commit: string }>(asked);
    return `fsync ${rows[0]?.fsync}, synchronous_commit ${rows[0]?.commit}`;
  } finally {
    await client.end();
  }
}
