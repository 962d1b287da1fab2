import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  type Deployment,
  atApproval,
  forgiveAll,
  openDeployment,
  pick,
  pickText,
  sequence,
} from './deployment.contract.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment({ corsOrigins: ['https://status.example'] });
});

afterAll(async () => {
  await here.close();
});

const types = ['dev.proviso.promotion.*', 'dev.cdevents.service.deployed.0.3.0'];
const address = 'https://hooks.example/services/T0P/secretpath?key=hidden';

async function added(name: string, key = randomUUID()) {
  const { status, body } = await here.post('olga', '/v1/webhooks', { name, address, types }, key);
  expect(status).toBe(201);
  return { id: pickText(body, 'webhook', 'id'), secret: pickText(body, 'secret'), body };
}

/** Everything that is in any table, as text. */
async function everythingStored(): Promise<string> {
  const client = new pg.Client({ connectionString: here.superuserUrl });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'proviso'`,
    );
    let text = '';
    for (const { name } of tables.rows) {
      const { rows } = await client.query(`select to_jsonb(t) as row from proviso.${name} t`);
      const bytes = await client.query(
        name === 'entry' ? `select convert_from(bytes, 'UTF8') as b from proviso.entry` : 'select 1',
      );
      text += JSON.stringify([rows, bytes.rows]);
    }
    return text;
  } finally {
    await client.end();
  }
}

describe('a webhook', () => {
  it('shows its secret once, to whoever adds it, and again only to the same request sent twice', async () => {
    const key = randomUUID();
    const first = await added('pager', key);
    expect(first.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect((await added('pager', key)).secret).toBe(first.secret);
    const { body } = await here.ask('olga', 'GET', `/v1/webhooks/${first.id}`);
    expect(body).toMatchObject({
      ...{ id: first.id, name: 'pager', origin: 'https://hooks.example', types, active: true, stopped: null },
      previousSecretUntil: null,
    });
    const list = await here.ask('aud', 'GET', '/v1/webhooks');
    expect(JSON.stringify([body, list.body])).not.toMatch(/secretpath|hidden|whsec_/);
  });

  it('leaves neither its secret nor its path in any row or entry that could be read without the key', async () => {
    const { secret } = await added('sealed');
    const stored = await everythingStored();
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    for (const telling of [secret, secret.slice(6), key.toString('hex'), 'secretpath', 'hidden'])
      expect([telling.slice(0, 4), stored.includes(telling)]).toEqual([telling.slice(0, 4), false]);
    expect(stored).toContain('https://hooks.example');
  });

  it('is told of types that there are, at an address that there may be', async () => {
    const wrong = [
      [{ types: ['dev.proviso.promotion.endd'] }, '/types'],
      [{ types: [] }, '/types'],
      [{ address: 'hooks.example' }, '/address'],
      [{ address: 'https://user:pass@hooks.example/' }, '/address'],
      [{ address: 'https://169.254.169.254/latest' }, '/address'],
      [{ name: 'No Name' }, '/name'],
    ] as const;
    for (const [over, pointer] of wrong) {
      const { status, body } = await here.post('olga', '/v1/webhooks', { name: 'wrong', address, types, ...over });
      expect([status, pick(body, 'errors', 0, 'pointer')]).toEqual([422, pointer]);
      expect(JSON.stringify(body)).not.toContain('pass@');
    }
    expect((await here.post('olga', '/v1/webhooks', { name: 'sealed', address, types })).body['code']).toBe('exists');
  });

  it('is the affair of operators and administrators; others read and are told who can', async () => {
    const { id } = await added('affair');
    for (const actor of ['bea', 'sam', 'petra', 'aud', 'nil'] as const) {
      const { status, body } = await here.post(actor, '/v1/webhooks', { name: 'mine', address, types });
      expect([actor, status, body['whoCan']]).toEqual([actor, 403, ['role/operator', 'role/administrator']]);
      const resent = await here.post(actor, `/v1/webhooks/${id}/deliveries/resend`, {
        delivery: `dlv_${'0'.repeat(32)}`,
      });
      expect([actor, resent.status]).toEqual([actor, 403]);
    }
    forgiveAll(here);
    expect((await here.post('ada', `/v1/webhooks/${id}/remove`, {})).status).toBe(200);
    expect((await here.ask('ada', 'GET', `/v1/webhooks/${id}`)).status).toBe(404);
  });

  it('has another secret after a rotation, and is signed under both until the time that was asked for', async () => {
    const { id, secret } = await added('rotated');
    const { status, body } = await here.post('ada', `/v1/webhooks/${id}/secret`, { overlapHours: 2 });
    expect(status).toBe(201);
    expect(pickText(body, 'secret')).not.toBe(secret);
    const until = Date.parse(pickText(body, 'webhook', 'previousSecretUntil'));
    expect(Math.abs(until - Date.now() - 7_200_000)).toBeLessThan(60_000);
    expect((await here.post('ada', `/v1/webhooks/${id}/secret`, { overlapHours: 169 })).status).toBe(422);
  });

  it('is changed as a whole, and every change is an entry without a secret', async () => {
    const { id } = await added('changed');
    const change = { types: ['dev.proviso.gate.*'], active: false };
    const changed = await here.ask('olga', 'PUT', `/v1/webhooks/${id}`, { payload: change });
    expect(changed.body).toMatchObject({ ...change, stopped: 'person' });
    await sequence(here);
    const entries = await here.parts.journal.reads(here.workspace).events({ after: -1, limit: 500 });
    const kinds = entries.filter(({ bytes }) => bytes.includes(id)).map(({ kind }) => kind);
    expect(kinds).toEqual(['webhook_added', 'webhook_changed']);
    const delivery = `dlv_${'0'.repeat(32)}`;
    const resent = await here.post('olga', `/v1/webhooks/${id}/deliveries/resend`, { delivery });
    expect(resent.status).toBe(404);
  });
});

describe('the log of deliveries', () => {
  it('is read in pages, newest first, and one that has ended is sent again', async () => {
    const { id } = await added('logged');
    const ref = { workspace: here.workspace, webhook: id as `whk_${string}` };
    const { webhooks } = here.parts.journal;
    const standing = await webhooks.standing(ref);
    const from = standing?.cursor ?? -1;
    const type = 'dev.proviso.promotion.ended';
    const deliveries = Array.from({ length: 5 }, (_, n) => ({ position: n, type, subject: `prm_${n}` }));
    await webhooks.enqueue(ref, { from, to: from + 5, deliveries });
    await webhooks.enqueue(ref, { from, to: from + 5, deliveries });
    const due = await webhooks.claim(ref);
    expect(due).toMatchObject({ position: 0, type, attempt: 1, address });
    const tried = { id: due?.id ?? '', attempt: 1, kind: 'taken', status: 204, failure: null, delayMs: 0 } as const;
    await webhooks.settle(ref, { ...tried, giveUpAfterMs: 1_000 });

    const seen: string[] = [];
    let after = '';
    do {
      const page = await here.ask('aud', 'GET', `/v1/webhooks/${id}/deliveries?limit=2${after}`);
      seen.push(...(page.body['items'] as { subject: string }[]).map(({ subject }) => subject));
      after = page.body['next'] === null ? '' : `&after=${pickText(page.body, 'next')}`;
    } while (after !== '');
    expect(seen).toEqual(['prm_4', 'prm_3', 'prm_2', 'prm_1', 'prm_0']);

    const resent = await here.post('olga', `/v1/webhooks/${id}/deliveries/resend`, { delivery: tried.id });
    expect([resent.status, resent.body]).toMatchObject([202, { state: 'waiting', attempts: 0, status: null }]);
    expect(await webhooks.claim(ref)).toMatchObject({ id: tried.id, position: 0, attempt: 1 });
  });

  it('of another workspace is not there', async () => {
    const { id } = await added('foreign');
    for (const path of [`/v1/webhooks/${id}`, `/v1/webhooks/${id}/deliveries`])
      expect((await here.ask('eve', 'GET', path)).status).toBe(404);
    const there = { workspace: here.workspace.replace(/.$/, '0') as `wsp_${string}`, webhook: id as `whk_${string}` };
    expect(await here.parts.journal.webhooks.standing(there)).toBeNull();
  });

  it('gives a delivery to one of two who ask at once, and of one subject nothing before what came earlier', async () => {
    const { id } = await added('ordered');
    const ref = { workspace: here.workspace, webhook: id as `whk_${string}` };
    const { webhooks } = here.parts.journal;
    const from = (await webhooks.standing(ref))?.cursor ?? -1;
    const told = (position: number, subject: string) => ({ position, type: 'dev.proviso.gate.reported', subject });
    await webhooks.enqueue(ref, {
      from,
      to: from + 4,
      deliveries: [told(1, 'a'), told(2, 'a'), told(3, 'b'), told(4, 'a')],
    });
    const both = await Promise.all([webhooks.claim(ref), webhooks.claim(ref), webhooks.claim(ref)]);
    expect(both.map((due) => due?.position).sort()).toEqual([1, 3, undefined]);
    const first = both.find((due) => due?.position === 1);
    const failed = { kind: 'failed', status: 500, failure: 'answered', giveUpAfterMs: 3_600_000 } as const;
    await webhooks.settle(ref, { id: first?.id ?? '', attempt: 1, ...failed, delayMs: 0 });
    expect(await webhooks.claim(ref)).toMatchObject({ position: 1, attempt: 2 });
    await webhooks.settle(ref, { id: first?.id ?? '', attempt: 2, ...failed, kind: 'taken', delayMs: 0 });
    expect(await webhooks.claim(ref)).toMatchObject({ position: 2, attempt: 1 });
  });
});

describe('a page of another origin', () => {
  const from = (origin: string, more: object = {}) => ({ headers: { origin, ...more } });

  it('that the operator named may read with a token, and change nothing', async () => {
    const { promotion } = await atApproval(here, 'shown-elsewhere');
    const read = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`, from('https://status.example'));
    expect(read.headers).toMatchObject({ 'access-control-allow-origin': 'https://status.example', vary: 'Origin' });
    expect(read.headers).not.toHaveProperty('access-control-allow-credentials');
    const url = `/v1/promotions/${promotion}`;
    const asked = (method: string) =>
      here.fastify.inject({
        ...{ method: 'OPTIONS', url },
        headers: { origin: 'https://status.example', 'access-control-request-method': method },
      });
    const may = await asked('GET');
    expect([may.statusCode, may.headers['access-control-allow-methods']]).toEqual([204, 'GET']);
    expect(may.headers['access-control-allow-headers']).toContain('last-event-id');
    const mayNot = await asked('POST');
    expect([mayNot.statusCode, mayNot.headers['access-control-allow-origin']]).toEqual([404, undefined]);
  });

  it('is told why not, when its token may not read', async () => {
    const { statusCode, headers } = await here.fastify.inject({
      method: 'GET',
      url: '/v1/me',
      ...from('https://status.example'),
    });
    expect([statusCode, headers['access-control-allow-origin']]).toEqual([401, 'https://status.example']);
  });

  it.each(['https://evil.example', 'https://status.example.evil.example', 'http://status.example', 'null'])(
    'that nobody named gets no leave: %s',
    async (origin) => {
      const { headers } = await here.ask('aud', 'GET', '/v1/me', from(origin));
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    },
  );
});

it('a secret is 32 bytes, and no two are alike', async () => {
  const [one, other] = [await added('one'), await added('other')];
  expect(Buffer.from(one.secret.slice(6), 'base64')).toHaveLength(32);
  expect(one.secret).not.toBe(other.secret);
});
