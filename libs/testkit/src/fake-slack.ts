import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { HomeView, KnownBlock, ModalView } from '@slack/types';
import { messageComplaints, viewComplaints } from './fake-slack-limits.ts';
import { type FakeSlackMember, openMembers } from './fake-slack-member.ts';
import { type FakeSlackSocket, openFakeSocket } from './fake-slack-socket.ts';

/** A message as it stands in Slack; `texts` is all that it ever said. */
export interface FakeSlackMessage {
  readonly channel: string;
  readonly ts: string;
  readonly thread: string | null;
  readonly broadcast: boolean;
  readonly metadata: object | null;
  text: string;
  blocks: readonly KnownBlock[];
  readonly texts: string[];
  readonly drawn: (readonly KnownBlock[])[];
  /** When it was changed last. */
  at: number;
}

/** What a call of the Web API is answered with instead: nothing at all, too often, broken before or after it was done. */
export type FakeSlackFault =
  | { readonly kind: 'away' | 'breaks' | 'breaks_after' | 'loses_answer' }
  | { readonly kind: 'rate_limited'; readonly retryAfterSeconds: number }
  | { readonly kind: 'error'; readonly error: string };

/** A form that was opened for somebody. */
export interface FakeSlackView {
  readonly id: string;
  readonly view: ModalView;
}

/** Slack on this machine: its Web API over HTTP, and people who press and type, signed as Slack signs. */
export interface FakeSlack {
  /** Where the Web API is. */
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly signingSecret: string;
  /** Where Slack sends what people do; set when it is known. */
  eventsUrl: string;
  /** Asked at each call. */
  fault: (method: string, said: string) => FakeSlackFault | null;
  readonly messages: () => readonly FakeSlackMessage[];
  /** Takes messages away that a long test is done with. */
  readonly forget: (messages: readonly FakeSlackMessage[]) => void;
  readonly homes: ReadonlyMap<string, HomeView>;
  /** Every limit that was broken, and every call that was wrong. */
  readonly complaints: readonly string[];
  readonly calls: readonly string[];
  readonly member: (user: string, team?: string) => FakeSlackMember;
  /** Connections of Socket Mode. */
  readonly socket: FakeSlackSocket;
  readonly close: () => Promise<void>;
}

/** All that the fake remembers. */
export interface FakeSlackState {
  readonly team: string;
  readonly origin: string;
  readonly signingSecret: string;
  eventsUrl: string;
  readonly messages: FakeSlackMessage[];
  readonly triggers: Map<string, number>;
  readonly views: Map<string, FakeSlackView>;
  /** By trigger: the form that it opened. */
  readonly opened: Map<string, FakeSlackView>;
  readonly homes: Map<string, HomeView>;
  readonly complaints: string[];
  readonly calls: string[];
  /** What somebody was told alone, by the id in the address that they were told at. */
  readonly said: Map<string, string[]>;
  readonly tell: (id: string) => void;
  readonly socketUrl: () => string;
}

/** A trigger is good for this long, and once. */
const triggerMs = 3_000;
const bodyBytesMax = 1_048_576;

/** By the deployment that they send to. */
const slacks = new Map<string, FakeSlack>();

/** The Slack whose people a deployment hears. */
export function slackOf(apiUrl: string): FakeSlack {
  const found = slacks.get(new URL(apiUrl).origin);
  if (found === undefined) throw new Error('expected a deployment with a Slack, got one without');
  return found;
}

/** Starts it. Close it in `afterAll`. */
export async function startFakeSlack(team = 'T0HOME'): Promise<FakeSlack> {
  const [botToken, appToken, signingSecret] = ['xoxb-', 'xapp-', ''].map(
    (kind) => kind + randomBytes(16).toString('hex'),
  );
  const waiting = new Map<string, (() => void)[]>();
  let fault: FakeSlack['fault'] = () => null;
  const server = createServer((request, response) => {
    answer(state, request, response, {
      botToken: botToken ?? '',
      appToken: appToken ?? '',
      fault: (name, said) => fault(name, said),
    }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  const origin = `http://127.0.0.1:${address.port}`;
  const socket = openFakeSocket(server);
  const state: FakeSlackState = {
    ...{ team, origin, signingSecret: signingSecret ?? '', eventsUrl: '', messages: [], triggers: new Map() },
    ...{ views: new Map(), opened: new Map(), homes: new Map(), complaints: [], calls: [], said: new Map() },
    tell: (id) => {
      for (const wake of waiting.get(id) ?? []) wake();
    },
    socketUrl: () => origin.replace('http', 'ws'),
  };
  const heard = async (id: string): Promise<void> =>
    await new Promise((resolve) => waiting.set(id, [...(waiting.get(id) ?? []), resolve]));
  const fake: FakeSlack = {
    ...{
      apiUrl: `${origin}/api/`,
      botToken: botToken ?? '',
      appToken: appToken ?? '',
      signingSecret: state.signingSecret,
    },
    get eventsUrl() {
      return state.eventsUrl;
    },
    set eventsUrl(url) {
      state.eventsUrl = url;
      slacks.set(new URL(url).origin, fake);
    },
    get fault() {
      return fault;
    },
    set fault(one) {
      fault = one;
    },
    messages: () => state.messages,
    forget: (gone) => {
      const kept = state.messages.filter((one) => !gone.includes(one));
      state.messages.splice(0, state.messages.length, ...kept);
    },
    ...{ homes: state.homes, complaints: state.complaints, calls: state.calls, socket },
    member: openMembers(state, heard),
    close: async () => {
      socket.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return fake;
}

interface Access {
  readonly botToken: string;
  readonly appToken: string;
  readonly fault: FakeSlack['fault'];
}

async function answer(state: FakeSlackState, request: IncomingMessage, response: ServerResponse, access: Access) {
  const path = new URL(request.url ?? '/', state.origin).pathname;
  const body = await buffer(request);
  if (body.length > bodyBytesMax) return void response.writeHead(413).end();
  const fields = fieldsOf(body.toString(), request.headers['content-type'] ?? '');
  if (path.startsWith('/response/'))
    return answerResponse(state, path.slice('/response/'.length), { fields, response });
  const method = path.slice('/api/'.length);
  state.calls.push(method);
  const fault = access.fault(method, body.toString());
  if (fault?.kind === 'away') return void response.destroy();
  if (fault?.kind === 'rate_limited') {
    response.setHeader('retry-after', String(fault.retryAfterSeconds));
    return send(response, 429, { ok: false, error: 'ratelimited' });
  }
  if (fault?.kind === 'breaks') return void response.writeHead(503).end('Service Unavailable');
  if (fault?.kind === 'error') return send(response, 200, { ok: false, error: fault.error });
  const given = request.headers.authorization?.replace('Bearer ', '') ?? fields['token'];
  const wanted = method === 'apps.connections.open' ? access.appToken : access.botToken;
  const told = given === wanted ? called(state, method, fields) : { ok: false, error: 'invalid_auth' };
  if (fault?.kind === 'breaks_after') return void response.writeHead(500).end('Internal Server Error');
  if (fault?.kind === 'loses_answer') return void response.destroy();
  send(response, 200, told);
}

type Fields = Readonly<Record<string, unknown>>;

function called(state: FakeSlackState, method: string, fields: Fields): object {
  switch (method) {
    case 'chat.postMessage':
      return posted(state, fields);
    case 'chat.update':
      return updated(state, fields);
    case 'chat.delete': {
      const at = state.messages.findIndex(({ channel, ts }) => channel === fields['channel'] && ts === fields['ts']);
      if (at === -1) return { ok: false, error: 'message_not_found' };
      state.messages.splice(at, 1);
      return { ok: true };
    }
    case 'conversations.history':
    case 'conversations.replies':
      return listed(state, fields);
    case 'views.open':
      return openedView(state, fields);
    case 'views.publish':
      return publishedHome(state, fields);
    case 'apps.connections.open':
      return { ok: true, url: state.socketUrl() };
    default:
      state.complaints.push(`a call of ${method}`);
      return { ok: false, error: 'unknown_method' };
  }
}

let counted = 0;

function posted(state: FakeSlackState, fields: Fields): object {
  const { channel, text, blocks } = contentOf(fields);
  const wrong = complain(state, messageComplaints({ text, blocks }));
  if (wrong !== null) return wrong;
  counted += 1;
  const ts = `${Math.floor(Date.now() / 1_000)}.${String(counted).padStart(6, '0')}`;
  const thread = typeof fields['thread_ts'] === 'string' ? fields['thread_ts'] : null;
  const broadcast = String(fields['reply_broadcast']) === 'true';
  const metadata = (fields['metadata'] as object | undefined) ?? null;
  state.messages.push({
    channel,
    ts,
    thread,
    broadcast,
    metadata,
    text,
    blocks,
    texts: [text],
    drawn: [blocks],
    at: Date.now(),
  });
  return { ok: true, channel, ts };
}

function updated(state: FakeSlackState, fields: Fields): object {
  const { channel, text, blocks } = contentOf(fields);
  const wrong = complain(state, messageComplaints({ text, blocks }));
  if (wrong !== null) return wrong;
  const message = state.messages.find((one) => one.channel === channel && one.ts === fields['ts']);
  if (message === undefined) return { ok: false, error: 'message_not_found' };
  Object.assign(message, { text, blocks, at: Date.now() });
  message.texts.push(text);
  message.drawn.push(blocks);
  return { ok: true, channel, ts: message.ts };
}

function listed({ messages }: FakeSlackState, fields: Fields): object {
  const { channel, ts, oldest = '0' } = fields;
  const inThread = (one: FakeSlackMessage) => one.thread === ts || one.ts === ts;
  const found = messages.filter(
    (one) =>
      one.channel === channel &&
      Number(one.ts) >= Number(oldest) &&
      (ts === undefined ? one.thread === null || one.broadcast : inThread(one)),
  );
  return { ok: true, messages: found.map(({ ts: at, text, metadata }) => ({ ts: at, text, metadata })) };
}

function openedView(state: FakeSlackState, fields: Fields): object {
  const trigger = String(fields['trigger_id']);
  const since = state.triggers.get(trigger);
  if (since === undefined) return { ok: false, error: 'invalid_trigger_id' };
  state.triggers.delete(trigger);
  if (Date.now() - since > triggerMs) return { ok: false, error: 'expired_trigger_id' };
  const view = fields['view'] as ModalView;
  const wrong = complain(state, viewComplaints(view));
  if (wrong !== null) return wrong;
  const opened = { id: `V${randomBytes(8).toString('hex').toUpperCase()}`, view };
  state.views.set(opened.id, opened);
  state.opened.set(trigger, opened);
  return { ok: true, view: { ...view, id: opened.id } };
}

function publishedHome(state: FakeSlackState, fields: Fields): object {
  const view = fields['view'] as HomeView;
  const wrong = complain(state, viewComplaints(view));
  if (wrong !== null) return wrong;
  state.homes.set(String(fields['user_id']), view);
  return { ok: true };
}

/** Good for thirty minutes and five answers, as Slack's are. */
function answerResponse(
  state: FakeSlackState,
  id: string,
  { fields, response }: { fields: Fields; response: ServerResponse },
) {
  const said = state.said.get(id);
  if (said === undefined || said.length >= 5) return send(response, 404, { ok: false, error: 'expired_url' });
  if (fields['response_type'] !== 'ephemeral' || fields['replace_original'] !== false)
    state.complaints.push('an answer that everybody sees');
  said.push(String(fields['text']));
  state.tell(id);
  send(response, 200, { ok: true });
}

function complain(state: FakeSlackState, complaints: readonly string[]): object | null {
  if (complaints.length === 0) return null;
  state.complaints.push(...complaints);
  return { ok: false, error: 'invalid_blocks', response_metadata: { messages: complaints } };
}

function contentOf(fields: Fields) {
  const { channel, text = '', blocks = [] } = fields;
  return { channel: String(channel), text: String(text), blocks: blocks as readonly KnownBlock[] };
}

/** The client sends forms, with what is no text as JSON in them. */
function fieldsOf(body: string, type: string): Fields {
  if (type.startsWith('application/json')) return JSON.parse(body) as Fields;
  const pairs = [...new URLSearchParams(body)].map(([name, value]): [string, unknown] => {
    return [name, /^[[{]/.test(value) ? JSON.parse(value) : value];
  });
  return Object.fromEntries(pairs);
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
