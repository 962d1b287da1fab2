import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { idFrom, type WebhookId } from '@proviso/domain';
import { type DeliveryView, type Leadership, openPump, type Pump } from '@proviso/journal';
import { createDatabase, type TestDatabase } from '@proviso/testkit';
import { secretText } from '@proviso/webhooks';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import type { Clock, Log } from '../ports.ts';
import { freezePrototype } from '../prototype-folder.contract.ts';
import { openWorld, type World } from '../world.contract.ts';
import { courierWork } from './courier.ts';

let database: TestDatabase;
let world: World;
let pump: Pump;
let superuser: pg.Client;

beforeAll(async () => {
  database = await createDatabase();
  world = await openWorld({ database });
  pump = await openPump({ url: world.pumpUrl, durable: false });
  superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
}, 60_000);

afterAll(async () => {
  await superuser.end();
  await pump.close();
  await world.close();
});

const lines: string[] = [];
const note = (fields: Readonly<Record<string, unknown>>, event: string): void => {
  lines.push(`${event} ${JSON.stringify(fields)}`);
};
const log: Log = { info: note, warn: note, error: note };
const clock: Clock = {
  now: () => Date.now(),
  pause: async (durationMs, signal) => await pause(durationMs, undefined, { signal }),
};

interface Taken {
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly event: {
    readonly id: string;
    readonly type: string;
    readonly subject: string;
    readonly data: Record<string, unknown>;
  };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A receiver: everything that it was sent, and how it answers. */
async function openReceiver() {
  const taken: Taken[] = [];
  const receiver = { answer: ((_request, response) => void response.writeHead(204).end()) as Answer };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      taken.push({ id: headers['webhook-id'] ?? '', headers, body, event: JSON.parse(body) as Taken['event'] });
      receiver.answer(request, response);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  };
  return { taken, receiver, url, close };
}

async function opened(name: string, types: readonly string[], url?: string) {
  const made = await openReceiver();
  const webhook: WebhookId = idFrom('whk', randomUUID());
  const secret = secretText(randomBytes(32));
  const address = url ?? made.url;
  const { workspace, operator: actor, journal } = world;
  const receipt = await journal.submit({
    ...{ workspace, actor, idempotencyKey: randomUUID(), authn: 'test' },
    command: { kind: 'AddWebhook', workspace, webhook, name, origin: new URL(address).origin, types },
    webhook: { address, secret },
  });
  expect(receipt.kind).toBe('accepted');
  return { ...made, webhook, secret, ref: { workspace, webhook } };
}

async function promoted(): Promise<string> {
  const artifact = await freezePrototype(world.ports.evidence, { 'version.txt': `${randomUUID()}\n` });
  return (await world.promote(await world.openPrototype(), artifact)).promotion;
}

async function sequenced(): Promise<void> {
  const leadership = await pump.lead('sequencer');
  while (((await leadership?.sequence(500)) ?? 0) > 0);
  await leadership?.resign();
}

/** Lets the courier work until something holds. What is due later is due at once: time is the database's. */
async function courierUntil(holds: () => boolean | Promise<boolean>, { hurried = true } = {}): Promise<void> {
  await sequenced();
  const leadership = await pump.lead('courier');
  if (leadership === null) throw new Error('expected to lead as courier');
  const ended = new AbortController();
  const { turn } = courierWork({ journal: world.journal, rules: { reach: 'private' }, clock, log, random: () => 0.5 });
  const deadline = Date.now() + 40_000;
  try {
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error('expected the courier to come that far');
      await turn(leadership, ended.signal);
      if (hurried)
        await superuser.query(
          `update proviso.webhook_delivery set due_at = now() where state = 'waiting' and failure is not null`,
        );
    }
  } finally {
    ended.abort();
    await leadership.resign();
  }
}

async function deliveriesOf(ref: {
  readonly workspace: World['workspace'];
  readonly webhook: WebhookId;
}): Promise<readonly DeliveryView[]> {
  return (await world.journal.webhooks.deliveries(ref, { limit: 100 })).items;
}

async function stateOf(webhook: WebhookId) {
  const view = await world.journal.reads(world.workspace).workspace();
  return view?.state.webhooks?.find(({ id }) => id === webhook);
}

const failing: Answer = (_request, response) => void response.writeHead(500).end();

describe('the courier', () => {
  it('tells what happened since, signed as the published library checks it, and nothing of before', async () => {
    const before = await promoted();
    await sequenced();
    const { taken, secret, ref, close } = await opened('pager', ['dev.proviso.promotion.*']);
    const promotion = await promoted();
    await courierUntil(() => taken.length > 0);
    await close();
    const [{ headers, body, event } = { headers: {}, body: '', event: null }] = taken;
    expect(event).toMatchObject({
      ...{ specversion: '1.0', type: 'dev.proviso.promotion.opened', subject: promotion },
      data: {
        promotion,
        kind: 'promotion_opened',
        sequence: 1,
        environment: 'production',
        candidate: { version: /^/ },
      },
    });
    expect(new Webhook(secret).verify(body, headers)).toEqual(event);
    expect(taken.map(({ event: { subject } }) => subject)).not.toContain(before);
    expect(await deliveriesOf(ref)).toMatchObject([{ state: 'delivered', attempts: 1, status: 204, failure: null }]);
  }, 60_000);

  it('sends the same event under the same id until it is taken', async () => {
    const { taken, receiver, ref, close } = await opened('unsteady', ['dev.proviso.promotion.*']);
    receiver.answer = failing;
    await promoted();
    await courierUntil(() => taken.length === 2);
    receiver.answer = (_request, response) => void response.writeHead(200).end();
    await courierUntil(async () => (await deliveriesOf(ref))[0]?.state === 'delivered');
    await close();
    expect(taken.length).toBeGreaterThanOrEqual(3);
    expect(new Set(taken.map(({ id }) => id)).size).toBe(1);
    expect(new Set(taken.map(({ body }) => body)).size).toBe(1);
  }, 60_000);

  it('sends nothing of a promotion before what came earlier of it, and meanwhile everything of others', async () => {
    const { taken, receiver, close } = await opened('ordered', ['dev.proviso.*']);
    const first = await promoted();
    receiver.answer = (_request, response) =>
      void response.writeHead(taken.at(-1)?.event.subject === first ? 500 : 200).end();
    await world.submit(world.operator, { kind: 'Cancel', promotion: first as `prm_${string}` });
    const second = await promoted();
    const of = (subject: string) =>
      taken.filter(({ event }) => event.subject === subject).map(({ event }) => event.type);
    await courierUntil(() => of(second).length > 0 && of(first).length > 2);
    expect(new Set(of(first))).toEqual(new Set(['dev.proviso.promotion.opened']));
    receiver.answer = (_request, response) => void response.writeHead(200).end();
    await courierUntil(() => of(first).includes('dev.proviso.promotion.ended'));
    await close();
    const sequences = taken
      .filter(({ event }) => event.subject === first)
      .map(({ event }) => Number(event.data['sequence']));
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  }, 60_000);

  it('lets nobody who is slow, dead or gone keep others waiting', async () => {
    const slow = await Promise.all([1, 2, 3].map((n) => opened(`slow-${n}`, ['dev.proviso.promotion.*'])));
    for (const { receiver } of slow) receiver.answer = () => undefined;
    const dead = await opened('dead', ['dev.proviso.promotion.*'], 'http://127.0.0.1:1/');
    const quick = await opened('quick', ['dev.proviso.promotion.*']);
    const promotion = await promoted();
    const began = performance.now();
    await courierUntil(() => quick.taken.some(({ event }) => event.subject === promotion), { hurried: false });
    expect(performance.now() - began).toBeLessThan(4_000);
    await Promise.all([...slow, dead, quick].map(({ close }) => close()));
  }, 60_000);

  it('stops where it is told that nobody is there any more, says so, and leaves nothing waiting', async () => {
    const { taken, receiver, webhook, ref, close } = await opened('gone', ['dev.proviso.promotion.*']);
    receiver.answer = (_request, response) => void response.writeHead(410).end();
    await promoted();
    await promoted();
    await courierUntil(async () => (await stateOf(webhook))?.active === false);
    expect(await stateOf(webhook)).toMatchObject({ stopped: 'gone' });
    expect(new Set((await deliveriesOf(ref)).map(({ state }) => state))).toEqual(new Set(['stopped']));
    const told = taken.length;
    await promoted();
    await sequenced();
    const leadership = await pump.lead('courier');
    expect((await leadership?.webhooks(1_000))?.some((one) => one.webhook === webhook)).toBe(false);
    await leadership?.resign();
    await close();
    expect([told, taken.length]).toEqual([1, 1]);
    expect(lines.some((line) => line.startsWith('webhook.gone'))).toBe(true);
  }, 60_000);

  it('gives up three days after the first try, by the database’s clock', async () => {
    const { taken, receiver, ref, close } = await opened('never', ['dev.proviso.promotion.*']);
    receiver.answer = failing;
    await promoted();
    await courierUntil(() => taken.length === 1);
    await superuser.query(
      `update proviso.webhook_delivery set started_at = now() - interval '71 hours' where webhook = $1`,
      [ref.webhook],
    );
    await courierUntil(() => taken.length === 2);
    expect(await deliveriesOf(ref)).toMatchObject([{ state: 'waiting' }]);
    await superuser.query(
      `update proviso.webhook_delivery set started_at = now() - interval '73 hours' where webhook = $1`,
      [ref.webhook],
    );
    await courierUntil(async () => (await deliveriesOf(ref))[0]?.state === 'given_up');
    await close();
    expect(await deliveriesOf(ref)).toMatchObject([{ status: 500, failure: 'answered', dueAt: null }]);
  }, 60_000);

  it('signs under both secrets while one is being replaced', async () => {
    const { taken, secret, webhook, close } = await opened('rotated', ['dev.proviso.promotion.*']);
    const next = secretText(randomBytes(32));
    const { workspace, operator: actor, journal } = world;
    const rotate = async (overlapMs: number, replaced: string) =>
      await journal.submit({
        ...{ workspace, actor, idempotencyKey: randomUUID(), authn: 'test' },
        command: { kind: 'RotateWebhook', workspace, webhook, overlapMs },
        webhook: { secret: replaced },
      });
    await rotate(3_600_000, next);
    await promoted();
    await courierUntil(() => taken.length === 1);
    for (const one of [secret, next])
      expect(() => new Webhook(one).verify(taken[0]?.body ?? '', taken[0]?.headers ?? {})).not.toThrow();
    const last = secretText(randomBytes(32));
    await rotate(0, last);
    await promoted();
    await courierUntil(() => taken.length === 2);
    await close();
    expect(taken[1]?.headers['webhook-signature']?.split(' ')).toHaveLength(1);
    expect(() => new Webhook(last).verify(taken[1]?.body ?? '', taken[1]?.headers ?? {})).not.toThrow();
    expect(() => new Webhook(secret).verify(taken[1]?.body ?? '', taken[1]?.headers ?? {})).toThrow(
      'No matching signature',
    );
  }, 60_000);

  it('forgets what ended a month ago, and leaves in the log what there is no room for yet', async () => {
    const { taken, ref, close } = await opened('long', ['dev.proviso.promotion.*']);
    await promoted();
    await courierUntil(async () => (await deliveriesOf(ref))[0]?.state === 'delivered');
    const old = `update proviso.webhook_delivery set ended_at = now() - interval '31 days' where webhook = $1`;
    await superuser.query(old, [ref.webhook]);
    // As many as are ever written down, none of which is due.
    await superuser.query(
      `insert into proviso.webhook_delivery (workspace, webhook, position, type, subject, state, due_at)
       select workspace, webhook, position, type, 'prm_' || n, 'waiting', now() + interval '1 hour'
         from proviso.webhook_delivery, generate_series(1, 1000) as n where webhook = $1`,
      [ref.webhook],
    );
    const promotion = await promoted();
    const { cursor = null } = (await world.journal.webhooks.standing(ref)) ?? {};
    await sequenced();
    const leadership = await pump.lead('courier');
    const { turn } = courierWork({
      journal: world.journal,
      rules: { reach: 'private' },
      clock,
      log,
      random: () => 0.5,
    });
    for (let turns = 0; turns < 3; turns += 1) await turn(leadership as Leadership, new AbortController().signal);
    await leadership?.resign();
    expect(await world.journal.webhooks.standing(ref)).toMatchObject({ cursor, waiting: 1_000 });
    await superuser.query(`delete from proviso.webhook_delivery where webhook = $1 and state = 'waiting'`, [
      ref.webhook,
    ]);
    await courierUntil(() => taken.some(({ event }) => event.subject === promotion));
    await close();
    expect(await deliveriesOf(ref)).toHaveLength(1);
  }, 60_000);

  it('puts no address, no secret and no answer into its lines', () => {
    expect(lines.join('\n')).not.toMatch(/whsec_|127\.0\.0\.1|\/hook/);
  });
});
