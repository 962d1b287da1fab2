import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { type Doors, registered } from '../journey.ts';
import { filesOf } from '../release-archive.ts';
import type { Stage } from '../stage.ts';
import type { Visitors } from '../visitors.ts';
import { type PlayedChannel, promotionIn, wayOf } from './played-channel.ts';
import { steady, withoutCanaryStep } from './transcript.ts';

/** The four versions that `npm start` shows, in their order. */
export const versions = ['good', 'leaky', 'dull', 'flaky'] as const;

/** What the journey goes through. */
export interface JourneyGround {
  readonly stage: Stage;
  readonly channel: Omit<PlayedChannel, 'besides'>;
  readonly doors: Doors;
  readonly visitors: Visitors;
  readonly examples: string;
  /** By its name. */
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
  const { doors, channel } = ground;
  const prototype = await registered(doors, channel.prototype);
  const lines: string[] = [];
  for (const [turn, version] of versions.entries()) {
    lines.push(
      `== ${version}`,
      ...withoutCanaryStep(await travelled(ground, { prototype, version, turn })).map(steady),
      '',
    );
    ground.say(`${version} came to its end, decided at ${channel.name}`);
  }
  return lines;
}

async function travelled(
  ground: JourneyGround,
  { prototype, version, turn }: { readonly prototype: string; readonly version: string; readonly turn: number },
): Promise<readonly string[]> {
  const { doors, channel, visitors, stage } = ground;
  const name = channel.prototype;
  const files = filesOf({ exampleFolder: join(ground.examples, version), name, version });
  const builder = { door: doors.bea, builder: stage.cast.people.bea };
  await channel.brought({ ...builder, prototype, name, version, files });
  const started = await channel.start({ ...builder, prototype, name, version, policy: ground.policy });
  const promotion = promotionIn(started);
  const look = async () => await doors.bea.get<Shown>(`/v1/promotions/${promotion}`);
  const saw: string[] = [];
  const endsAt = performance.now() + versionMsMax;
  for (;;) {
    const found = await look();
    if (found.state === 'waiting_for_human' && saw.length === 0)
      saw.push(...(await decided(ground, { promotion, turn })));
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
    return isAnswered && lines.some((line) => says(line.trim(), headline)) && isStill(lines) && lines;
  }).catch((cause: unknown) => {
    throw new Error(`expected the last word in ${channel.name}, got:\n${channel.shown(promotion).join('\n')}`, {
      cause,
    });
  });
  return [`bea starts it, and is told: ${started}`, ...saw, 'at the end:', ...ended];
}

/** Where there is little room a headline is cut, but never shorter than this. */
const cutMin = 100;

function says(line: string, headline: string): boolean {
  return line === headline || (line.length > cutMin && line.endsWith('…') && headline.startsWith(line.slice(0, -1)));
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
async function decided(
  { stage, channel }: JourneyGround,
  { promotion, turn }: { readonly promotion: string; readonly turn: number },
): Promise<readonly string[]> {
  const asked = await eventually('somebody to be asked', async () => channel.asking(promotion));
  const lines = ['asked:', ...asked];
  for (const [index, key] of (['bea', 'sam', 'olga'] as const).entries()) {
    const way = wayOf(channel, turn + index);
    const { told } = await channel.approve({ person: stage.cast.people[key], promotion, way });
    lines.push(`${key} approves ${way}, and is told: ${told}`);
  }
  return lines;
}
