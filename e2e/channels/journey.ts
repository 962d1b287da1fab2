import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { uploadedCandidate } from '../candidate.ts';
import { eventually } from '../eventually.ts';
import { type Doors, registered } from '../journey.ts';
import { archiveOf } from '../release-archive.ts';
import type { Stage } from '../stage.ts';
import type { Visitors } from '../visitors.ts';
import type { PlayedChannel } from './played-channel.ts';
import { steady, withoutCanaryStep } from './transcript.ts';

/** The four versions that `npm start` shows, in their order. */
export const versions = ['good', 'leaky', 'dull', 'flaky'] as const;

/** What the journey goes through. */
export interface JourneyGround {
  readonly stage: Stage;
  readonly channel: PlayedChannel;
  readonly doors: Doors;
  readonly visitors: Visitors;
  readonly examples: string;
  readonly policy: string;
  readonly say: (line: string) => void;
}

interface Shown {
  readonly state: string;
  readonly at: string | null;
  readonly endedAt: string | null;
  readonly headline: string;
  readonly lane: { readonly host: string } | null;
}

const pollMs = 300;
/** As the demo sends them: enough to judge a canary in seconds. */
const canaryVisitors = 120;
/** Two busy cores have needed five times as long as two idle ones. */
const versionMsMax = 240_000;

/** Carries each version as far as it comes, decided in this channel alone; answers what people saw there, line by line. */
export async function journey(ground: JourneyGround): Promise<readonly string[]> {
  const { doors } = ground;
  const prototype = await registered(doors, 'helpdesk');
  const lines: string[] = [];
  for (const version of versions) {
    lines.push(`== ${version}`, ...withoutCanaryStep(await travelled(ground, { prototype, version })).map(steady), '');
    ground.say(`${ground.channel.name}: ${version} came to its end`);
  }
  return lines;
}

async function travelled(
  ground: JourneyGround,
  { prototype, version }: { readonly prototype: string; readonly version: string },
): Promise<readonly string[]> {
  const { doors, channel, visitors } = ground;
  const archive = archiveOf({ exampleFolder: join(ground.examples, version), name: 'helpdesk', version });
  const candidate = await uploadedCandidate(doors.bea, { prototype, version, archive });
  const order = { prototype, candidate, policy: ground.policy };
  const promotion = (await doors.bea.post<{ id: string }>('/v1/promotions', order)).id;
  const look = async () => await doors.bea.get<Shown>(`/v1/promotions/${promotion}`);
  const saw: string[] = [];
  const endsAt = performance.now() + versionMsMax;
  for (;;) {
    const found = await look();
    if (found.state === 'waiting_for_human' && saw.length === 0) saw.push(...(await decided(ground, promotion)));
    if (found.lane !== null) visitors.send(found.lane.host, found.at === 'canary' ? canaryVisitors : 0);
    if (isOver(found)) break;
    if (performance.now() > endsAt) throw new Error(`expected an end of ${version}, got ${found.headline}`);
    await pause(pollMs);
  }
  const { headline } = await look();
  const isStill = stillness();
  const ended = await eventually(`a message that says ${headline}`, async () => {
    const lines = channel.shown(promotion);
    const isAnswered = saw.length === 0 || channel.finalAt(promotion) !== null;
    return isAnswered && lines.some((line) => line.trim() === headline) && isStill(lines) && lines;
  }).catch((cause: unknown) => {
    throw new Error(`expected the last word in ${channel.name}, got:\n${channel.shown(promotion).join('\n')}`, {
      cause,
    });
  });
  return [...saw, 'at the end:', ...ended];
}

/** Longer than two copies of one promotion are apart. */
const stillMs = 1_500;

/** Tells whether lines have been the same for a while: copies change one after the other. */
function stillness(): (lines: readonly string[]) => boolean {
  let before = '';
  let since = 0;
  return (lines) => {
    const now = lines.join('\n');
    if (now !== before) since = performance.now();
    before = now;
    return performance.now() - since > stillMs;
  };
}

function isOver({ endedAt, state }: Shown): boolean {
  return endedAt !== null || state === 'blocked' || state === 'inconclusive';
}

/** The builder tries, then one of each group. */
async function decided({ stage, channel }: JourneyGround, promotion: string): Promise<readonly string[]> {
  const asked = await eventually('somebody to be asked', async () => channel.asking(promotion));
  const lines = ['asked:', ...asked];
  for (const key of ['bea', 'sam', 'olga'] as const) {
    const { told } = await channel.approve(stage.cast.people[key], promotion);
    lines.push(`${key} approves, and is told: ${told}`);
  }
  return lines;
}
