import type { Extra } from '../cast.ts';
import { eventually } from '../eventually.ts';
import { type Doors, registered } from '../journey.ts';
import type { Stage } from '../stage.ts';
import type { Person, PlayedChannel } from './played-channel.ts';

/** People who decide beside the cast. */
export function crowdOf(count: number): readonly Extra[] {
  const bindings = [{ role: 'approver', group: 'security' }];
  return Array.from({ length: count }, (_, index) => ({ key: `voter-${index}`, bindings }));
}

/** Nothing but people, and what must come after them. */
export function crowdPolicy(name: string, count: number): string {
  return `policy: ${name}
gates:
  - gate: approval
    requirements: [{ from: group/security, count: ${count} }]
    expires: 1h
  - gate: canary
    weights: [50]
`;
}

/** A policy that asks these voters, all of them, in this channel. */
export interface Crowd {
  readonly stage: Stage;
  readonly channel: PlayedChannel;
  readonly doors: Doors;
  readonly voters: readonly Person[];
  readonly policy: string;
  readonly say: (line: string) => void;
}

/** A candidate of a prototype of its own. */
export interface Frozen {
  readonly prototype: string;
  readonly candidate: string;
}

/** Freezes one, which asks for nothing but people. */
export async function frozen({ doors, channel, stage }: Crowd, name: string): Promise<Frozen> {
  const prototype = await registered(doors, name, false);
  const files = { 'a.mjs': `// ${name}\n` };
  const builder = { door: doors.bea, builder: stage.cast.people.bea };
  return { prototype, candidate: await channel.brought({ ...builder, prototype, name, version: 'v1', files }) };
}

/** Opens its promotion, which waits for people at once. */
export async function openedOf({ doors, policy }: Crowd, { prototype, candidate }: Frozen): Promise<string> {
  return (await doors.bea.post<{ id: string }>('/v1/promotions', { prototype, candidate, policy })).id;
}

/** Both. */
export async function opened(crowd: Crowd, name: string): Promise<string> {
  return await openedOf(crowd, await frozen(crowd, name));
}

/** Waits until people are asked about it. */
export async function askedAbout({ channel }: Crowd, promotion: string): Promise<void> {
  await eventually(`a message that asks about ${promotion}`, async () => channel.asking(promotion));
}

/** Waits until no message about it wants an answer; answers when the last one changed. */
export async function finalAbout({ channel }: Crowd, promotion: string): Promise<number> {
  return await eventually(`the last word about ${promotion}`, async () => channel.finalAt(promotion));
}

/** The value below which so great a part of them lies. */
export function percentileOf(numbers: readonly number[], part: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * part)] ?? 0;
}
