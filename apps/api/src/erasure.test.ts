import { createHash } from 'node:crypto';
import pg from 'pg';
import { type Deployment, atApproval, openDeployment, pick, pickText } from './deployment.contract.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

/** A person with a name, an address and a token. */
async function added(name: string, roles: readonly object[]) {
  const { body } = await here.post('ada', '/v1/people', { name, email: `${name.toLowerCase()}@example.org`, roles });
  const id = pickText(body, 'id') as `psn_${string}`;
  const issued = await here.parts.journal.submit({
    workspace: here.workspace,
    actor: id,
    command: {
      kind: 'IssueOwnToken',
      person: id,
      token: {
        id: `tok_${id.slice(4)}`,
        hash: `sha256:${createHash('sha256').update(tokenFor(id)).digest('hex')}`,
        expiresAt: Date.now() + 60_000,
        scopes: ['read', 'decide', 'administer', 'operate'],
      },
    },
    idempotencyKey: `token of ${id}`,
    authn: 'test',
  });
  expect(issued.kind).toBe('accepted');
  return { id, headers: { authorization: `Bearer ${tokenFor(id)}` } };
}

function tokenFor(id: string): string {
  return `prv_${createHash('sha256').update(id).digest('base64url')}`;
}

async function historyOf(promotion: string) {
  return (await here.ask('aud', 'GET', `/v1/promotions/${promotion}/history`)).body['items'] as {
    kind: string;
    bytes: string;
    hash: string;
    reason: string | null;
    by: { id: string; name: string | null } | null;
  }[];
}

describe('an erased person', () => {
  it('is a name and a reason less, and everything else stays valid', async () => {
    const nova = await added('Nova', [{ role: 'approver', group: 'security' }]);
    const { decisions, digests, promotion } = await atApproval(here, 'with-nova');
    const vote = { verdict: 'approve', ...digests, reason: 'I asked Nils about the invoices' };
    expect((await here.ask(null, 'POST', decisions, { payload: vote, headers: nova.headers })).status).toBe(201);
    const kept = await here.post('sam', decisions, { verdict: 'approve', ...digests, reason: 'fine by me' });
    expect(pick(kept.body, 'passed')).toBe(true);
    const before = await historyOf(promotion);
    expect(JSON.stringify(before)).toContain('about the invoices');

    expect((await here.post('bea', `/v1/people/${nova.id}/erase`, {})).status).toBe(403);
    const erased = await here.post('ada', `/v1/people/${nova.id}/erase`, {});
    expect(erased.body).toMatchObject({
      ...{ id: nova.id, name: 'erased person', erased: true, disabled: true, roles: [], tokens: [] },
    });
    const after = await historyOf(promotion);
    expect(after.map(({ bytes, hash }) => [bytes, hash])).toEqual(before.map(({ bytes, hash }) => [bytes, hash]));
    expectChained(after);
    const hers = after.find(({ by }) => by?.id === nova.id);
    expect(hers).toMatchObject({ by: { name: 'erased person' }, reason: 'erased' });
    expect(after.find(({ by }) => by?.id === here.people.sam)?.reason).toBe('fine by me');
    expect(JSON.stringify(after)).not.toContain('invoices');

    expect((await here.ask(null, 'GET', '/v1/me', { headers: nova.headers })).status).toBe(401);
    expect((await here.post('ada', `/v1/people/${nova.id}/roles`, { role: 'auditor' })).status).toBe(403);
    expect((await here.post('ada', `/v1/people/${nova.id}/tokens`, {})).body).toMatchObject({
      code: 'person_disabled',
    });
    expect((await here.post('ada', `/v1/people/${nova.id}/erase`, {})).body).toMatchObject({ code: 'exists' });
    const held = await here.ask('ada', 'GET', `/v1/people/${nova.id}/personal`);
    expect(held.body).toMatchObject({ name: null, email: null, texts: [] });
  });

  it('left nothing in the database that its keys, or the one above them, could open', async () => {
    const rex = await added('Rexinald', [{ role: 'operator' }]);
    const lane = await someLane();
    await here.ask(null, 'POST', `/v1/lanes/${lane}/hold`, {
      payload: { reason: 'a secret of mine' },
      headers: rex.headers,
    });
    const app = new pg.Client({ connectionString: here.appUrl });
    await app.connect();
    const uuid = here.workspace.slice(4);
    await app.query(`set proviso.workspace = '${uuid}'`);
    const keys = async () => (await app.query('select 1 from proviso.vault_key where person = $1', [rex.id])).rowCount;
    const sealed = async () => (await app.query('select 1 from proviso.vault where person = $1', [rex.id])).rowCount;
    expect([await keys(), await sealed()]).toEqual([1, 2]);
    await here.post('ada', `/v1/people/${rex.id}/erase`, {});
    expect([await keys(), await sealed()]).toEqual([0, 2]);
    const { rows } = await app.query<{ bytes: string }>(
      `select convert_from(bytes, 'UTF8') as bytes from proviso.entry`,
    );
    const all = rows.map(({ bytes }) => bytes).join('\n');
    for (const word of ['Rexinald', 'rexinald@example.org', 'a secret of mine']) expect(all).not.toContain(word);
    await app.end();
  });

  it('whose vote was not counted yet has none any more', async () => {
    const vera = await added('Vera', [{ role: 'approver', group: 'security' }]);
    const { decisions, digests, gate } = await atApproval(here, 'half-voted');
    await here.ask(null, 'POST', decisions, { payload: { verdict: 'approve', ...digests }, headers: vera.headers });
    await here.post('ada', `/v1/people/${vera.id}/erase`, {});
    const second = await here.post('sam', decisions, { verdict: 'approve', ...digests });
    expect(second.body).toMatchObject({ passed: false });
    const shown = await here.ask('aud', 'GET', `/v1/gates/${gate}`);
    expect(JSON.stringify(shown.body['decisions'])).toContain('"voided":"role_lost"');
  });
});

describe('what is held about a person', () => {
  it('is shown to themselves, administrators and auditors, and every reading is an entry', async () => {
    const zoe = await added('Zoe', [{ role: 'operator' }]);
    const made = await here.post('bea', '/v1/prototypes', { name: 'for-zoe' });
    const lane = pickText(made.body, 'lanes', 'production');
    for (const move of ['hold', 'resume']) {
      const payload = { reason: `${move}: written by Zoe` };
      await here.ask(null, 'POST', `/v1/lanes/${lane}/${move}`, { payload, headers: zoe.headers });
    }
    const path = `/v1/people/${zoe.id}/personal`;
    for (const actor of ['bea', 'sam', 'olga', 'petra', 'nil', 'edge', 'eve'] as const)
      expect([actor, [403, 404].includes((await here.ask(actor, 'GET', path)).status)]).toEqual([actor, true]);
    const own = await here.ask(null, 'GET', path, { headers: zoe.headers });
    expect(own.body).toMatchObject({
      name: 'Zoe',
      email: 'zoe@example.org',
      texts: [expect.any(String), expect.any(String)],
    });
    expect(own.text).toContain('hold: written by Zoe');
    for (const actor of ['ada', 'aud'] as const) expect((await here.ask(actor, 'GET', path)).status).toBe(200);
    const entries = await here.parts.journal.reads(here.workspace).history({ stream: 'person', id: zoe.id, limit: 50 });
    const readers = entries
      .filter(({ kind }) => kind === 'personal_read')
      .map(({ bytes }) => pick(JSON.parse(bytes), 'body', 'by'));
    expect(readers).toEqual([zoe.id, here.people.ada, here.people.aud]);
    const key = { 'idempotency-key': 'read-twice' };
    expect((await here.ask('ada', 'GET', path, { headers: key })).status).toBe(200);
    expect((await here.ask('ada', 'GET', path, { headers: key })).status).toBe(409);
  });
});

async function someLane(): Promise<string> {
  const { body } = await here.ask('aud', 'GET', '/v1/lanes');
  return pickText(body, 'items', 0, 'id');
}

/** Each hash is that of its bytes, and each entry names the hash before it. */
function expectChained(entries: readonly { bytes: string; hash: string }[]): void {
  for (const [index, { bytes, hash }] of entries.entries()) {
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(hash);
    const before = entries[index - 1];
    if (before !== undefined) expect(pick(JSON.parse(bytes), 'sprev')).toBe(before.hash);
  }
}
