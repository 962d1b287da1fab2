import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { PersonId } from '@proviso/domain';
import {
  type FakeGitHubApp,
  type FakeSlack,
  type FakeSlackMember,
  type FakeSlackMessage,
  buttonsOf,
  startFakeSlack,
} from '@proviso/testkit';
import { type Actor, type Deployment, listening, openDeployment } from '../deployment.contract.ts';
import { type Following, startFollowing } from '../following.contract.ts';
import { githubConfig, pushTo } from '../github/github-config.contract.ts';
import { slackIdentity } from './slack-caller.ts';

/** Members of the fake Slack who are linked to people of the cast. */
export const slackUsers = { bea: 'U0BEA', sam: 'U0SAM', kim: 'U0KIM', olga: 'U0OLGA', max: 'U0MAX' } as const;

/** The conversations of the tests. */
export const mainChannel = 'C0MAIN';
/** Where group security is asked besides. */
export const securityChannel = 'C0SECURITY';

/** A deployment with a Slack, its follower at work, and a sequencer, as a worker has one. */
export interface SlackGround {
  readonly here: Deployment;
  readonly slack: FakeSlack;
  /** Where people are asked as well; null: nowhere else. */
  readonly github: FakeGitHubApp | null;
  readonly url: string;
  readonly member: (actor: keyof typeof slackUsers) => FakeSlackMember;
  readonly channels: Following['channels'];
  readonly close: () => Promise<void>;
}

/** Opens one; close it in `afterAll`. Over Socket Mode nothing is listened for at our side; with a GitHub App people are asked there, too. */
export async function openSlackGround(
  over: { readonly socketMode?: boolean; readonly github?: FakeGitHubApp } = {},
): Promise<SlackGround> {
  const slack = await startFakeSlack();
  const workspace = `wsp_${randomUUID().replaceAll('-', '')}` as const;
  const isSocket = over.socketMode === true;
  const config = {
    ...{ apiUrl: slack.apiUrl, botToken: slack.botToken, teams: ['T0HOME'], workspace },
    signingSecret: isSocket ? null : slack.signingSecret,
    appToken: isSocket ? slack.appToken : null,
    conversations: { main: mainChannel, groups: { 'group/security': securityChannel } },
  };
  const { github } = over;
  const here =
    github === undefined
      ? await openDeployment({ slack: config })
      : await openDeployment({ slack: config, ...githubConfig(github, workspace) }, pushTo(github));
  const url = await listening(here);
  slack.eventsUrl = `${url}/slack/events`;
  if (github !== undefined) github.eventsUrl = `${url}/github/webhooks`;
  for (const [actor, user] of Object.entries(slackUsers))
    await linkTo(here, here.people[actor as Actor], { team: 'T0HOME', user });
  const following = await startFollowing(here);
  return {
    ...{ here, slack, url, github: github ?? null },
    member: (actor) => slack.member(slackUsers[actor]),
    channels: following.channels,
    close: async () => {
      await following.stop();
      await slack.close();
      await here.close();
    },
  };
}

/** Links an account as its person does at the page. */
export async function linkTo(
  here: Deployment,
  person: PersonId,
  member: { team: string; user: string },
): Promise<void> {
  const { config, journal, now } = here.parts;
  if (config.slack === null) throw new Error('expected a Slack to be set up');
  const receipt = await journal.submit({
    ...{ workspace: here.workspace, actor: person, idempotencyKey: randomUUID(), authn: 'test' },
    command: { kind: 'LinkIdentity', person, identity: slackIdentity(config.slack, member, config) },
    door: { channel: 'page', freshAt: now() },
  });
  if (receipt.kind === 'refused') throw new Error(`expected a link, got ${receipt.refusal.code}`);
}

const letters = new WeakMap<object, string>();

/** All letters of a message's blocks, written out once: a long test looks through them again and again. */
export function lettersOf(blocks: FakeSlackMessage['blocks']): string {
  const known = letters.get(blocks) ?? JSON.stringify(blocks);
  letters.set(blocks, known);
  return known;
}

/** The messages about a promotion, told by the address of its page. */
export function messagesAbout(slack: FakeSlack, promotion: string): readonly FakeSlackMessage[] {
  const digits = promotion.slice('prm_'.length);
  const own = slack.messages().filter(({ blocks }) => lettersOf(blocks).includes(digits));
  const heads = new Set(own.map(({ ts }) => ts));
  return slack.messages().filter((one) => heads.has(one.ts) || (one.thread !== null && heads.has(one.thread)));
}

/** Where people are asked about it in a channel now, with buttons to press. */
export function asking(slack: FakeSlack, promotion: string, channel: string = mainChannel): FakeSlackMessage | null {
  const found = messagesAbout(slack, promotion).filter((one) => one.channel === channel && liveButtons(one).length > 0);
  return found.at(-1) ?? null;
}

/** Buttons that would change something. */
export function liveButtons({ blocks }: Pick<FakeSlackMessage, 'blocks'>): readonly string[] {
  return buttonsOf(blocks).flatMap(({ action_id }) =>
    action_id === undefined || action_id === 'open' ? [] : [action_id],
  );
}

/** What comes back with a press on *Approve*. */
export function valueIn({ blocks }: FakeSlackMessage): string {
  return buttonsOf(blocks).find(({ action_id }) => action_id === 'approve')?.value ?? '';
}

/** The same message with a button that never stood there. */
export function withValue(message: FakeSlackMessage, value: string): FakeSlackMessage {
  const text = { type: 'plain_text' as const, text: 'Approve' };
  const button = { type: 'button' as const, action_id: 'approve', text, value };
  return { ...message, blocks: [{ type: 'actions', elements: [button] }] };
}

/** Looks again and again until there is something, within a bound. */
export async function until<Found>(
  look: () => Found | null | undefined | false | Promise<Found | null | undefined | false>,
  ms = 10_000,
): Promise<Found> {
  const endsAt = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > endsAt) throw new Error(`expected something within ${ms} ms`);
    await pause(20);
  }
}
