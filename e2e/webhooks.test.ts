import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { packed, uploadedCandidate } from './candidate.ts';
import { type Door, openDoor } from './door.ts';
import { eventually } from './eventually.ts';
import { openOwnStage, type OwnStage } from './own-stage.ts';

/** Alone it takes a minute, half of which is the claim of a dead worker running out. */
const testMsMax = 240_000;

const policy = `policy: told
gates:
  - gate: approval
    requirements: [{ from: group/security, count: 1 }]
    expires: 1h
  - gate: canary
    weights: [50]
`;

interface Taken {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly body: string;
  readonly headers: Record<string, string>;
  readonly at: number;
}

const taken: Taken[] = [];
let answer: (response: ServerResponse) => void = (response) => void response.writeHead(204).end();
const receiver = createServer((request: IncomingMessage, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part: string) => (body += part));
  request.on('end', () => {
    const { id, type, subject } = JSON.parse(body) as Taken;
    taken.push({ id, type, subject, body, headers: request.headers as Record<string, string>, at: Date.now() });
    answer(response);
  });
});

let stage: OwnStage;
let doors: Readonly<Record<'bea' | 'sam' | 'olga', Door>>;
let secret: string;
let webhook: string;

beforeAll(async () => {
  await new Promise<void>((done) => void receiver.listen(0, '127.0.0.1', done));
  const reach = { PROVISO_WEBHOOK_REACH: 'private' };
  const order = { policy, apiEnvironment: reach, workerEnvironment: reach };
  stage = await openOwnStage('webhooks', { ...order, without: ['edge'] });
  const { bea, sam, olga } = stage.cast.people;
  const [one, two, three] = [bea, sam, olga].map((person) => openDoor(stage.apiUrl, person, []));
  if (one === undefined || two === undefined || three === undefined) throw new Error('expected three doors');
  doors = { bea: one, sam: two, olga: three };
  const { port } = receiver.address() as AddressInfo;
  const hook = { name: 'told', address: `http://127.0.0.1:${port}/own-path`, types: ['dev.proviso.*'] };
  const added = await doors.olga.post<{ webhook: { id: string }; secret: string }>('/v1/webhooks', hook);
  ({ secret } = added);
  webhook = added.webhook.id;
}, testMsMax);

afterAll(async () => {
  await stage.close();
  receiver.closeAllConnections();
  await new Promise((done) => void receiver.close(done));
}, testMsMax);

async function promoted(name: string): Promise<string> {
  const { id: prototype } = await doors.bea.post<{ id: string }>('/v1/prototypes', { name });
  const candidate = await uploadedCandidate(doors.bea, {
    prototype,
    version: 'v1',
    archive: packed({ 'a.mjs': `// ${name}\n` }),
  });
  const id = stage.cast.policies['told']?.id;
  return (await doors.bea.post<{ id: string }>('/v1/promotions', { prototype, candidate, policy: id })).id;
}

const told = (type: string, subject: string) =>
  taken.filter((one) => one.type === `dev.proviso.${type}` && one.subject === subject);

async function vote(promotion: string): Promise<void> {
  const gate = `/v1/gates/gate_${promotion.slice('prm_'.length)}-approval`;
  const digests = await eventually('an open gate', async () => {
    const found = await doors.sam.get<Record<'artifactDigest' | 'evidenceDigest', string | null>>(gate);
    return found.evidenceDigest === null ? null : found;
  });
  const { artifactDigest, evidenceDigest } = digests;
  await doors.sam.post(`${gate}/decisions`, { verdict: 'approve', artifactDigest, evidenceDigest });
}

describe('a receiver outside', () => {
  it(
    'hears of a vote within seconds, signed, in the order in which it happened',
    async () => {
      const promotion = await promoted('told-of');
      await vote(promotion);
      const votedAt = Date.now();
      const [reached] = await eventually('the quorum to be told', async () => {
        const found = told('quorum.reached', promotion);
        return found.length > 0 && found;
      });
      process.stdout.write(`told ${(reached?.at ?? 0) - votedAt} ms after the vote\n`);
      for (const { body, headers } of taken) expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
      const types = taken.filter(({ subject }) => subject === promotion).map(({ type }) => type);
      expect(types.slice(0, 4)).toEqual(
        ['promotion.opened', 'gate.opened', 'decision.recorded', 'quorum.reached'].map((type) => `dev.proviso.${type}`),
      );
    },
    testMsMax,
  );

  it(
    'gets an event again, under its id, when the worker was killed before its answer',
    async () => {
      let held: ServerResponse | null = null;
      answer = (response) => {
        held ??= response;
      };
      const promotion = await promoted('killed-over');
      await eventually('an event to be held', async () => held !== null);
      await stage.parts.worker.kill();
      const heldId = taken.at(-1)?.id ?? '';
      answer = (response) => void response.writeHead(204).end();
      await stage.parts.worker.start();
      await eventually('the event again', async () => taken.filter(({ id }) => id === heldId).length === 2);
      const bodies = taken.filter(({ id }) => id === heldId).map(({ body }) => body);
      expect(bodies[0]).toBe(bodies[1]);
      // Nothing was lost: everything behind it has come, too.
      await eventually('all to be delivered', async () => {
        const path = `/v1/webhooks/${webhook}/deliveries?limit=100`;
        const { items } = await doors.olga.get<{ items: readonly { readonly state: string }[] }>(path);
        return told('gate.opened', promotion).length === 1 && items.every(({ state }) => state === 'delivered');
      });
    },
    testMsMax,
  );

  it('leaves neither its secret nor its path in any log', () => {
    const logs = readdirSync(stage.logFolder).map((name) => readFileSync(join(stage.logFolder, name), 'utf8'));
    expect(logs.join('')).toContain('listening');
    for (const telling of [secret, secret.slice('whsec_'.length), 'own-path'])
      expect(logs.join('').includes(telling)).toBe(false);
  });
});
