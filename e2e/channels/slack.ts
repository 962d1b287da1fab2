import { createHash } from 'node:crypto';
import { plainLines } from '@proviso/channels';
import { packed, uploadedCandidate } from '../candidate.ts';
import { type FakeSlack, type FakeSlackMessage, buttonsOf, linkInSlack, startFakeSlack } from '@proviso/testkit';
import { acknowledged } from './acknowledged.ts';
import type { Call, Person, PlayedChannel } from './played-channel.ts';

const main = 'C0MAIN';
const security = 'C0SECURITY';
const team = 'T0HOME';

/** Slack, with a channel for all and one for group security. */
export async function slackChannel(): Promise<PlayedChannel> {
  const slack = await startFakeSlack(team);
  let apiUrl = '';
  return {
    name: 'slack',
    prototype: 'helpdesk',
    ways: ['with the button'],
    besides: [],
    environment: (workspace) => ({
      ...{ PROVISO_SLACK_API: slack.apiUrl, PROVISO_SLACK_BOT_TOKEN: slack.botToken },
      ...{ PROVISO_SLACK_SIGNING_SECRET: slack.signingSecret, PROVISO_SLACK_TEAMS: team },
      ...{ PROVISO_SLACK_WORKSPACE: workspace, PROVISO_SLACK_CHANNEL: main },
      PROVISO_SLACK_GROUP_CHANNELS: `group/security=${security}`,
    }),
    join: (stage) => {
      ({ apiUrl } = stage);
      slack.eventsUrl = `${apiUrl}/slack/events`;
    },
    link: async (person) => {
      const status = await linkInSlack({ apiUrl, token: person.token, slack, user: userOf(person) });
      if (status !== 200) throw new Error(`expected an account to be linked, got ${status}`);
    },
    brought: async ({ door, files, ...version }) =>
      await uploadedCandidate(door, { ...version, archive: packed(files) }),
    start: async ({ builder, name, version, policy }) => {
      const typed = slack.member(userOf(builder)).type(`start ${name} ${version} with ${policy}`);
      const { body } = await typed.send();
      return typeof body === 'object' && body !== null && 'text' in body ? String(body.text) : '';
    },
    asking: (promotion) => {
      const message = about(slack, promotion).find((one) => one.channel === main && isPressable(one));
      return message === undefined ? null : linesOf(message);
    },
    approve: async ({ person, promotion }) => {
      const deed = slack.member(userOf(person)).press(pressable(slack, promotion), 'approve');
      const acknowledgedMs = await acknowledged(async () => (await deed.send()).status === 200);
      const acknowledgedAt = Date.now();
      return { told: await deed.told(), acknowledgedMs, acknowledgedAt };
    },
    shown: (promotion) => about(slack, promotion).flatMap(linesOf),
    finalAt: (promotion) => {
      const asks = asksAbout(slack, promotion);
      return asks.length === 0 || asks.some(isPressable) ? null : Math.max(...asks.map(({ at }) => at));
    },
    unended: (promotion) =>
      asksAbout(slack, promotion).flatMap(({ text }) => (text.endsWith(': approved.') ? [] : [text])),
    doubled: () => {
      const marks = slack.messages().map(({ metadata }) => JSON.stringify(metadata));
      return marks.filter((mark, index) => marks.indexOf(mark) !== index);
    },
    setBreakage: (breakage) => {
      slack.fault = (method, said) => {
        const kind = breakage(callOf(method), said);
        return kind === null ? null : { kind };
      };
    },
    complaints: () => slack.complaints,
    close: () => slack.close(),
  };
}

function callOf(method: string): Call {
  return method === 'chat.postMessage' ? 'post' : method === 'chat.update' ? 'change' : 'other';
}

function userOf({ id }: Person): string {
  return `U${createHash('sha256').update(id).digest('hex').slice(0, 10).toUpperCase()}`;
}

/** The messages about a promotion, told by the address of its page; the ones in their threads follow them. */
function about(slack: FakeSlack, promotion: string): readonly FakeSlackMessage[] {
  const address = `gate_${promotion.slice('prm_'.length)}-`;
  const own = slack.messages().filter(({ blocks }) => JSON.stringify(blocks).includes(address));
  const heads = new Set(own.map(({ ts }) => ts));
  const all = slack.messages().filter((one) => heads.has(one.ts) || (one.thread !== null && heads.has(one.thread)));
  return all.toSorted((a, b) => placeOf(a).localeCompare(placeOf(b)));
}

/** Those of them that can be pressed, or could be. */
function asksAbout(slack: FakeSlack, promotion: string): readonly FakeSlackMessage[] {
  return about(slack, promotion).filter(({ drawn }) => drawn.some((blocks) => isPressable({ blocks })));
}

/** The one message of the promotion, then its thread, then other channels; several are posted at once, in any order. */
function placeOf({ channel, thread, texts }: FakeSlackMessage): string {
  return `${channel} ${thread === null ? 0 : 1} ${texts[0]}`;
}

/** What was on the screen when it was still to be answered, if it is not any more. */
function pressable(slack: FakeSlack, promotion: string): Pick<FakeSlackMessage, 'channel' | 'ts' | 'blocks'> {
  const states = about(slack, promotion).flatMap((message) => message.drawn.map((blocks) => ({ ...message, blocks })));
  const found = states.findLast((one) => one.channel === main && isPressable(one));
  if (found === undefined) throw new Error(`expected a message about ${promotion} to press, got none`);
  return found;
}

function isPressable({ blocks }: Pick<FakeSlackMessage, 'blocks'>): boolean {
  return buttonsOf(blocks).some(({ action_id }) => action_id !== undefined && action_id !== 'open');
}

/** A message as a person reads it: where it stands, then what it says. */
function linesOf({ channel, thread, broadcast, blocks }: FakeSlackMessage): readonly string[] {
  const where = thread === null ? '' : broadcast ? ', in the thread and outside' : ', in the thread';
  return [`#${channel.slice(2).toLowerCase()}${where}`, ...plainLines(blocks).map((line) => `  ${line}`)];
}
