import { createHmac, randomBytes } from 'node:crypto';
import type { Button, KnownBlock } from '@slack/types';
import type { FakeSlackMessage, FakeSlackState, FakeSlackView } from './fake-slack.ts';

/** What came of something that somebody did. */
export interface FakeSlackAnswer {
  readonly status: number;
  readonly body: unknown;
  /** How long it took until Slack was answered. */
  readonly ms: number;
}

/** Something done, as Slack sends it: each `send` sends the same bytes again, as Slack does when it is in doubt. */
export interface FakeSlackDeed {
  readonly send: () => Promise<FakeSlackAnswer>;
  /** What the person was told alone after it was sent. */
  readonly told: () => Promise<string>;
  /** The form that it opened. */
  readonly form: () => FakeSlackView;
  /** What is sent, to be spoilt by a test. */
  readonly request: { readonly body: string; readonly headers: Readonly<Record<string, string>> };
}

/** Somebody in Slack. */
export interface FakeSlackMember {
  readonly user: string;
  /** Presses a button that stands on the message now. */
  readonly press: (message: Pick<FakeSlackMessage, 'channel' | 'ts' | 'blocks'>, action: string) => FakeSlackDeed;
  readonly submit: (view: FakeSlackView, fields: Readonly<Record<string, string>>) => FakeSlackDeed;
  readonly type: (words: string) => FakeSlackDeed;
  readonly openHome: () => FakeSlackDeed;
}

/** Slack gives an app this long; whoever is later is told by Slack that it did not work. */
const ackMsMax = 3_000;

/** A busy machine takes its time; without any bound a test would hang instead of failing. */
const toldMsMax = 30_000;

/** The buttons of a message by what they do. */
export function buttonsOf(blocks: readonly KnownBlock[]): readonly Button[] {
  return blocks.flatMap((block) =>
    block.type === 'actions' ? block.elements.filter((one): one is Button => one.type === 'button') : [],
  );
}

/** Signs a body as Slack does. */
export function signedAsSlack(secret: string, body: string, seconds = Math.floor(Date.now() / 1_000)) {
  const mac = createHmac('sha256', secret).update(`v0:${seconds}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': String(seconds), 'x-slack-signature': `v0=${mac}` };
}

/** Makes members of this Slack. */
export function openMembers(
  state: FakeSlackState,
  heard: (id: string) => Promise<void>,
): (user: string, team?: string) => FakeSlackMember {
  return (user, team = state.team) => {
    const who = { id: user, username: `@here <${user}>`, name: 'PASSED', team_id: team };
    const frame = {
      token: 'old',
      api_app_id: 'A0',
      user: who,
      team: { id: state.team, domain: 'home' },
      enterprise: null,
    };
    const deed = (made: (marks: Marks) => Made): FakeSlackDeed => deedOf(state, heard, made);
    return {
      user,
      press: (message, action) =>
        deed(({ trigger, responseUrl }) => {
          const button = buttonsOf(message.blocks).find(({ action_id }) => action_id === action);
          if (button === undefined) throw new Error(`expected a button ${action}, got none`);
          const { channel, ts } = message;
          const pressed = {
            ...button,
            block_id: 'actions',
            action_ts: `${Date.now() / 1_000}.${randomBytes(4).readUInt32BE()}`,
          };
          const container = { type: 'message', message_ts: ts, channel_id: channel };
          const payload = { type: 'block_actions', ...frame, container, message, channel: { id: channel, name: 'c' } };
          const state_ = { state: { values: {} }, is_enterprise_install: false };
          return form({ ...payload, ...state_, trigger_id: trigger, response_url: responseUrl, actions: [pressed] });
        }),
      submit: ({ id, view }, fields) =>
        deed(({ trigger }) => {
          const { blocks } = view as { blocks: readonly KnownBlock[] };
          const values = Object.fromEntries(blocks.flatMap((block) => valueIn(block, fields)));
          const sent = { ...view, id, team_id: team, state: { values }, hash: '1', root_view_id: id };
          return form({ type: 'view_submission', ...frame, trigger_id: trigger, view: sent, response_urls: [] });
        }),
      type: (words) =>
        deed(({ trigger, responseUrl }) => {
          const place = { team_id: team, team_domain: 'home', channel_id: 'C0MAIN', channel_name: 'c', user_id: user };
          const typed = { ...place, user_name: 'PASSED', command: '/proviso', text: words, api_app_id: 'A0' };
          const fields = { token: 'old', ...typed, response_url: responseUrl, trigger_id: trigger };
          return { body: new URLSearchParams(fields).toString(), type: formType };
        }),
      openHome: () =>
        deed(() => {
          const event = { type: 'app_home_opened', user, channel: 'D0', tab: 'home', event_ts: '1' };
          const envelope = { token: 'old', team_id: team, api_app_id: 'A0', type: 'event_callback', event_id: 'Ev0' };
          return { body: JSON.stringify({ ...envelope, event, event_time: 1 }), type: 'application/json' };
        }),
    };
  };
}

interface Marks {
  readonly trigger: string;
  readonly responseUrl: string;
}

interface Made {
  readonly body: string;
  readonly type: string;
}

const formType = 'application/x-www-form-urlencoded';

function form(payload: object): Made {
  return { body: new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), type: formType };
}

function deedOf(
  state: FakeSlackState,
  heard: (id: string) => Promise<void>,
  made: (marks: Marks) => Made,
): FakeSlackDeed {
  const id = randomBytes(12).toString('hex');
  const trigger = `${Date.now()}.${id}`;
  const { body, type } = made({ trigger, responseUrl: `${state.origin}/response/${id}` });
  const headers = { 'content-type': type, ...signedAsSlack(state.signingSecret, body) };
  state.said.set(id, []);
  return {
    request: { body, headers },
    send: async () => {
      state.triggers.set(trigger, Date.now());
      const begunAt = performance.now();
      const answer = await fetch(state.eventsUrl, { method: 'POST', headers, body });
      const text = await answer.text();
      const ms = performance.now() - begunAt;
      if (ms > ackMsMax) throw new Error(`expected an acknowledgement within ${ackMsMax} ms, got one after ${ms}`);
      return { status: answer.status, body: text === '' ? null : JSON.parse(text), ms };
    },
    told: async () => {
      if (state.said.get(id)?.length === 0) await within(heard(id));
      return state.said.get(id)?.at(-1) ?? '';
    },
    form: () => {
      const opened = state.opened.get(trigger);
      if (opened === undefined) throw new Error('expected a form to be opened, got none');
      return opened;
    },
  };
}

async function within(work: Promise<void>): Promise<void> {
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error(`expected words within ${toldMsMax} ms`)), toldMsMax).unref();
  });
  await Promise.race([work, late]);
}

function valueIn(block: KnownBlock, fields: Readonly<Record<string, string>>): readonly [string, object][] {
  if (block.type !== 'input' || block.block_id === undefined) return [];
  const { type, action_id: name = '' } = block.element as { type: string; action_id?: string };
  const given = fields[block.block_id] ?? '';
  const value =
    type === 'users_select'
      ? { selected_user: given }
      : type === 'static_select'
        ? { selected_option: { value: given } }
        : { value: given };
  return [[block.block_id, { [name]: { type, ...value } }]];
}
