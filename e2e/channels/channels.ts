import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDoors } from '../journey.ts';
import { openStage, type Stage } from '../stage.ts';
import { openVisitors, type VisitorRequest } from '../visitors.ts';
import { crowdOf, crowdPolicy } from './crowd.ts';
import { type JourneyGround, journey } from './journey.ts';
import { type Outage, away, outageText } from './outage.ts';
import { type Pace, type Pressing, paceText, pressed } from './pace.ts';
import type { PlayedChannel } from './played-channel.ts';
import { type Kill, killText, killed } from './restarts.ts';
import { githubChannel } from './github.ts';
import { slackChannel } from './slack.ts';

/** What the command line can choose. */
export interface ChannelsOptions {
  readonly projectRoot: string;
  readonly quick: boolean;
  readonly say: (line: string) => void;
}

/** What each person saw of the whole demo, without what is another at each run. */
export interface Story {
  readonly name: string;
  readonly lines: readonly string[];
  /** True when it is what the golden file says. */
  readonly isGolden: boolean;
}

/** What came of one channel. */
export interface ChannelPlayed {
  readonly channel: string;
  readonly stories: readonly Story[];
  readonly pace: Pace;
  readonly outage: Outage;
  readonly kills: readonly Kill[];
  readonly findings: readonly string[];
}

/** What came of all of them. */
export interface ChannelsResult {
  readonly channels: readonly ChannelPlayed[];
  readonly elapsedMs: number;
  readonly passed: boolean;
}

/** Every channel in which people decide; each is one file beside this one. */
const channels: readonly (() => Promise<PlayedChannel>)[] = [slackChannel, githubChannel];

/** Who decides where nothing is counted. */
const pairSize = 2;

const profiles = {
  whole: { voters: 20, gates: 10, perSecond: 50, isTimed: true, awayMs: 60_000 },
  // The same code and the same pace, less of it.
  quick: { voters: 10, gates: 4, perSecond: 50, isTimed: false, awayMs: 5_000 },
} as const satisfies Readonly<Record<string, Pressing & { readonly awayMs: number }>>;

/** What people saw, then the figures. */
export function channelsText({ channels, elapsedMs, passed }: ChannelsResult): string {
  const told = channels.flatMap(({ stories, pace, outage, kills, findings }) => [
    ...stories.flatMap(({ name, lines, isGolden }) => [
      ...[`${name}:`, ...lines],
      isGolden ? 'as in the golden file' : 'NOT as in the golden file',
    ]),
    paceText(pace),
    outageText(outage),
    ...kills.map(killText),
    ...findings.map((finding) => `WRONG: ${finding}`),
  ]);
  return [...told, `${passed ? 'passed' : 'FAILED'} in ${Math.round(elapsedMs / 1_000)} s`].join('\n');
}

/** Plays the whole demo in each channel, on a whole deployment with a database that syncs; then what goes wrong there. */
export async function playChannels(options: ChannelsOptions): Promise<ChannelsResult> {
  const startedMs = performance.now();
  // What is measured has the machine for itself.
  const played = options.quick
    ? await Promise.all(channels.map(async (open) => await playedAt(await open(), options)))
    : await oneByOne(options);
  const passed = played.every(
    ({ stories, findings }) => stories.every(({ isGolden }) => isGolden) && findings.length === 0,
  );
  return { channels: played, elapsedMs: Math.round(performance.now() - startedMs), passed };
}

async function oneByOne(options: ChannelsOptions): Promise<readonly ChannelPlayed[]> {
  const played: ChannelPlayed[] = [];
  for (const open of channels) played.push(await playedAt(await open(), options));
  return played;
}

async function playedAt(channel: PlayedChannel, { say, ...options }: ChannelsOptions): Promise<ChannelPlayed> {
  const folder = mkdtempSync(join(tmpdir(), `proviso-channels-${channel.name}-`));
  try {
    return await playedIn({ ...options, say: (line) => say(`${channel.name}: ${line}`), channel, folder });
  } finally {
    await channel.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Play extends ChannelsOptions {
  readonly channel: PlayedChannel;
  readonly folder: string;
}

async function playedIn({ projectRoot, quick, say, channel, folder }: Play): Promise<ChannelPlayed> {
  const profile = quick ? profiles.quick : profiles.whole;
  const workspace = `wsp_${randomUUID().replaceAll('-', '')}`;
  const examples = join(projectRoot, 'examples', 'helpdesk');
  const stage = await openStage({
    ...{ codeRoot: projectRoot, projectRoot, folder, workspace, apiEnvironment: channel.environment(workspace) },
    policy: readFileSync(join(projectRoot, 'policies', 'demo.yaml'), 'utf8'),
    morePolicies: [crowdPolicy('crowd', profile.voters), crowdPolicy('pair', pairSize)],
    extras: crowdOf(profile.voters),
  });
  const requests = JSON.parse(readFileSync(join(examples, 'traffic.json'), 'utf8')) as readonly VisitorRequest[];
  const visitors = openVisitors(stage.routerUrl, requests);
  try {
    const doors = openDoors({ stage, ledger: [] });
    channel.join(stage);
    for (const key of ['bea', 'sam', 'olga'] as const) await channel.link(stage.cast.people[key]);
    const ground = { stage, channel, doors, say };
    const demo = { ...ground, visitors, examples, policy: 'demo' };
    // At the same time: each waits for its canaries most of the time, and none sees the other's messages.
    const stories = await Promise.all(
      [channel, ...channel.besides].map(async (one) => await storyOf({ ...demo, channel: one })),
    );
    const voters = Object.values(stage.cast.extras);
    const crowd = { ...ground, voters, policy: policyOf(stage, 'crowd') };
    const pair = { ...ground, voters: voters.slice(0, pairSize), policy: policyOf(stage, 'pair') };
    for (const voter of voters) await channel.link(voter);
    const pace = await pressed(crowd, profile);
    const outage = await away(pair, profile.awayMs);
    const kills = await killed(pair, { isShort: quick });
    const findings = [
      ...pace.findings,
      ...outage.findings,
      ...kills.flatMap((kill) => kill.findings),
      ...wrongIn(channel),
    ];
    return { channel: channel.name, stories, pace, outage, kills, findings };
  } finally {
    await visitors.stop();
    await stage.close();
  }
}

async function storyOf(ground: JourneyGround): Promise<Story> {
  const lines = await journey(ground);
  return { name: ground.channel.name, lines, isGolden: isAsBefore(ground.channel.name, lines) };
}

/** Of all that was posted nothing stands twice, and the place had nothing to say against any of it. */
function wrongIn(channel: PlayedChannel): readonly string[] {
  return [...channel.doubled().map((copy) => `a copy stands twice: ${copy}`), ...channel.complaints()];
}

function policyOf({ cast }: Stage, name: string): string {
  const found = cast.policies[name];
  if (found === undefined) throw new Error(`expected a policy ${name} to be founded, got none`);
  return found.id;
}

/** Against what a person may look at and diff; written anew when that is asked for, as of other golden files. */
function isAsBefore(name: string, lines: readonly string[]): boolean {
  const golden = new URL(`./${name}.golden.txt`, import.meta.url);
  const text = `${lines.join('\n')}\n`;
  if (process.env['PROVISO_UPDATE_GOLDEN'] === 'yes') writeFileSync(golden, text);
  return text === readFileSync(golden, 'utf8');
}
