import { setTimeout as pause } from 'node:timers/promises';
import { type Crowd, askedAbout, finalAbout, opened } from './crowd.ts';
import { type Breakage, type Call, type Person, wayOf } from './played-channel.ts';

/** A moment at which the API process is killed, and what came of its messages. */
export interface Kill {
  readonly moment: string;
  /** From its next start to the last change of a message; people answer in between. */
  readonly finalMs: number;
  readonly findings: readonly string[];
}

/** At which of the calls that follow, and what came of that call. */
interface Strike {
  readonly moment: string;
  readonly call: Call;
  /** The how manieth of these calls. */
  readonly nth: number;
  readonly how: Breakage;
}

/** A message is changed only after a vote, so those strikes wait for one. */
const strikes: readonly Strike[] = [
  { moment: 'its first message was posted and nobody heard of it', call: 'post', nth: 1, how: 'loses_answer' },
  { moment: 'its second message was not posted', call: 'post', nth: 2, how: 'away' },
  { moment: 'its second message was posted and nobody heard of it', call: 'post', nth: 2, how: 'loses_answer' },
  { moment: 'a message was changed after a vote', call: 'change', nth: 1, how: 'loses_answer' },
  { moment: 'a message was not changed after a vote', call: 'change', nth: 1, how: 'away' },
];

/**
 * Kills the API in the middle of a call, starts it again, and lets people decide: every message stands once and ends. In
 * short it is killed only where the call was done and nobody heard of it: there a message can come to stand twice.
 */
export async function killed(crowd: Crowd, { isShort }: { readonly isShort: boolean }): Promise<readonly Kill[]> {
  const kills: Kill[] = [];
  for (const strike of strikes.filter(({ how }) => !isShort || how === 'loses_answer')) {
    kills.push(await killedAt(crowd, { strike, name: `killed-${kills.length}` }));
    crowd.say(killText(kills.at(-1) as Kill));
  }
  return kills;
}

/** One line. */
export function killText({ moment, finalMs, findings }: Kill): string {
  const end = findings.length === 0 ? `final ${Math.round(finalMs)} ms after the start` : 'WRONG';
  return `killed when ${moment}: ${end}`;
}

async function killedAt(crowd: Crowd, { strike, name }: { strike: Strike; name: string }): Promise<Kill> {
  const { channel, voters } = crowd;
  const [first, second] = voters;
  if (first === undefined || second === undefined) throw new Error('expected two who decide');
  const isAfterVote = strike.call === 'change';
  // The API may die before it has answered the opening: whoever opens tries until it is back.
  const early = isAfterVote ? null : struck(crowd, { ...strike, name });
  const promotion = await opened(crowd, name);
  if (isAfterVote) await askedAbout(crowd, promotion);
  const late = isAfterVote ? struck(crowd, { ...strike, name }) : null;
  if (isAfterVote) await surely(crowd, { person: first, promotion, turn: 0 });
  const startedAt = (await (early ?? late)) ?? Date.now();
  await askedAbout(crowd, promotion);
  if (!isAfterVote) await surely(crowd, { person: first, promotion, turn: 0 });
  const told = await surely(crowd, { person: second, promotion, turn: 1 });
  const finalMs = (await finalAbout(crowd, promotion)) - startedAt;
  return {
    ...{ moment: strike.moment, finalMs },
    findings: [
      ...(told.includes('has passed') ? [] : [`expected a passed gate, got ${told}`]),
      ...channel.unended(promotion).map((line) => `expected the last word, got ${line}`),
      ...channel.doubled().map((copy) => `stands twice: ${copy}`),
    ],
  };
}

/** Kills the API at that call about that prototype, which is done, or not, as the strike says; answers when it has been started again. */
async function struck(
  { stage, channel }: Crowd,
  { call, nth, how, name }: Strike & { readonly name: string },
): Promise<number> {
  const dead = Promise.withResolvers<void>();
  const { api } = stage.parts;
  let calls = 0;
  channel.setBreakage((made, said) => {
    // What is still told about others is none of this.
    if (made !== call || !said.includes(name)) return null;
    calls += 1;
    if (calls < nth) return null;
    channel.setBreakage(() => null);
    api.kill().then(dead.resolve, dead.reject);
    return how;
  });
  await dead.promise;
  await api.start();
  return Date.now();
}

/** An API process starts in a second; two busy cores have needed a minute for it. */
const surelyMsMax = 90_000;

/** What they were told may have died with the process: they press once more. */
async function surely(
  { channel }: Crowd,
  { person, promotion, turn }: { readonly person: Person; readonly promotion: string; readonly turn: number },
): Promise<string> {
  const endsAt = performance.now() + surelyMsMax;
  while (performance.now() < endsAt) {
    const answered = await channel.approve({ person, promotion, way: wayOf(channel, turn) }).catch(() => null);
    if (answered !== null && /^Recorded|decided already/.test(answered.told)) return answered.told;
    await pause(100);
  }
  throw new Error('expected a vote to be recorded, got none');
}
