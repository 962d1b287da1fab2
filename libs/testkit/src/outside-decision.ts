import { setTimeout as pause } from 'node:timers/promises';
import type { ApprovalTry, Told } from './decision-channel.ts';

/** What is shown follows within a second or two; on a busy machine it may take longer. */
const shownMsMax = 20_000;
const pollMs = 20;

/** A press: it is sent, and then its person is told what came of it. */
export interface Press {
  readonly send: () => Promise<{ readonly status: number }>;
  readonly told: () => Promise<string>;
}

/** Where somebody decides outside of our pages. */
export interface OutsidePlace {
  readonly name: 'Slack' | 'GitHub';
  /** Makes their account known; 200, or what the sign-in was answered with. */
  readonly link: () => Promise<number>;
  /** The press on what asks about a gate in this attempt; null while nothing does. Any attempt will do when it is null. */
  readonly pressOn: (gate: string, attempt: number | null) => Press | null;
}

/** By place, deployment and token: an account is linked once. */
const links = new Map<string, Promise<number>>();

/** As somebody there does: link the account once, look at what asks, press, and read what they are told. */
export async function approveOutside(place: OutsidePlace, order: ApprovalTry): Promise<Told> {
  const key = `${place.name} ${order.apiUrl} ${order.token}`;
  const linked = links.get(key) ?? place.link();
  links.set(key, linked);
  const status = await linked;
  if (status !== 200) return { recorded: false, passed: false, code: 'unauthenticated', status };
  const press = await pressable(place, order);
  const answer = await press.send();
  const said = await press.told();
  const recorded = said.startsWith('Recorded');
  const code = recorded ? null : (/\(([a-z_]+)\)$/.exec(said)?.[1] ?? null);
  return { recorded, passed: said.includes('has passed'), code, status: answer.status };
}

/** What can be pressed; whoever may look waits for what is asked now. */
async function pressable(place: OutsidePlace, { apiUrl, token, promotion }: ApprovalTry): Promise<Press> {
  const address = `gate_${promotion.slice('prm_'.length)}-approval`;
  const headers = { authorization: `Bearer ${token}` };
  const gate = (await (await fetch(`${apiUrl}/v1/gates/${address}`, { headers })).json()) as {
    readonly status?: string;
    readonly attempt?: number;
  };
  const attempt = gate.status === 'waiting' ? (gate.attempt ?? null) : null;
  const endsAt = performance.now() + shownMsMax;
  while (performance.now() < endsAt) {
    const press = place.pressOn(address, attempt);
    if (press !== null) return press;
    await pause(pollMs);
  }
  throw new Error(`expected something in ${place.name} to press about ${promotion}, got nothing`);
}
