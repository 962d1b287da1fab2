import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { openDoor } from '../door.ts';
import { type Crowd, askedAbout, finalAbout, frozen, opened, openedOf } from './crowd.ts';
import type { Person } from './played-channel.ts';

/** What a channel that was away has delayed. */
export interface Outage {
  readonly awayMs: number;
  /** From the opening of a promotion to its passed gate, by people at another door, while the channel was away. */
  readonly decidedMs: number;
  /** From its return to the last change of the message that had been asking. */
  readonly finalMs: number;
  /** From its return to the message about what was opened meanwhile. */
  readonly askedMs: number;
  readonly findings: readonly string[];
}

interface Gate {
  readonly status: string;
  readonly attempt: number;
  readonly artifactDigest: string;
  readonly evidenceDigest: string | null;
}

/** Takes the place away for so long, while people decide elsewhere. */
export async function away(crowd: Crowd, awayMs: number): Promise<Outage> {
  const { channel, say } = crowd;
  const asked = await opened(crowd, 'asked-before');
  await askedAbout(crowd, asked);
  // Where versions come from the place itself nobody freezes one while it is away.
  const [quick, slow] = [await frozen(crowd, 'opened-and-decided-meanwhile'), await frozen(crowd, 'opened-meanwhile')];
  channel.setBreakage(() => 'away');
  const awaySince = performance.now();
  await decidedElsewhere(crowd, asked);
  const openedAt = performance.now();
  const whole = await openedOf(crowd, quick);
  await decidedElsewhere(crowd, whole);
  const decidedMs = performance.now() - openedAt;
  const late = await openedOf(crowd, slow);
  const isQuiet = channel.asking(late) === null && channel.finalAt(asked) === null;
  // Real time on purpose: what is put off longer and longer must still come at once when there is somebody to hear it.
  await pause(Math.max(0, awayMs - (performance.now() - awaySince)));
  channel.setBreakage(() => null);
  const backAt = Date.now();
  const finalMs = (await finalAbout(crowd, asked)) - backAt;
  await askedAbout(crowd, late);
  const found = { awayMs, decidedMs, finalMs, askedMs: Date.now() - backAt };
  say(outageText(found));
  return { ...found, findings: isQuiet ? [] : ['expected nothing to be said while the channel was away'] };
}

/** One line. */
export function outageText({ awayMs, decidedMs, finalMs, askedMs }: Omit<Outage, 'findings'>): string {
  const [decided, final, asked] = [decidedMs, finalMs, askedMs].map(Math.round);
  return (
    `away for ${Math.round(awayMs / 1_000)} s: decided elsewhere meanwhile in ${decided} ms; back, the message that had ` +
    `asked was final in ${final} ms, the next one asked in ${asked} ms`
  );
}

/** By each of the voters over REST, as far as the gate's end. */
async function decidedElsewhere({ stage, voters }: Crowd, promotion: string): Promise<void> {
  const path = `/v1/gates/gate_${promotion.slice('prm_'.length)}-approval`;
  const doorOf = (person: Person) => openDoor(stage.apiUrl, person, []);
  for (const voter of voters) {
    const gate = await eventually('an open gate', async () => {
      const found = await doorOf(voter).get<Gate>(path);
      return found.evidenceDigest !== null && found;
    });
    const { attempt, artifactDigest, evidenceDigest } = gate;
    await doorOf(voter).post(`${path}/decisions`, { verdict: 'approve', attempt, artifactDigest, evidenceDigest });
  }
  const [voter] = voters;
  if (voter === undefined) throw new Error('expected somebody who decides');
  const { status } = await doorOf(voter).get<Gate>(path);
  if (status !== 'passed') throw new Error(`expected a passed gate, got ${status}`);
}
