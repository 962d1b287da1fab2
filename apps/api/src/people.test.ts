import { type Deployment, openDeployment, pick, pickText } from './deployment.contract.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

describe('people', () => {
  it('are added by an administrator, get a token that is shown once, and lose everything when disabled', async () => {
    const added = await here.post('ada', '/v1/people', { name: 'Nova', roles: [{ role: 'auditor' }] }, 'nova');
    const id = pickText(added.body, 'id');
    expect(added.body).toMatchObject({ name: 'Nova', kind: 'human', roles: [{ role: 'auditor' }], tokens: [] });
    expect(
      (await here.post('ada', '/v1/people', { name: 'Nova', roles: [{ role: 'auditor' }] }, 'nova')).body['id'],
    ).toBe(id);
    const issued = await here.post('ada', `/v1/people/${id}/tokens`, { validDays: 1 }, 'nova-token');
    const again = await here.post('ada', `/v1/people/${id}/tokens`, { validDays: 1 }, 'nova-token');
    expect(again.body).toEqual(issued.body);
    const headers = { authorization: `Bearer ${pickText(issued.body, 'token')}` };
    expect((await here.ask(null, 'GET', '/v1/people', { headers })).status).toBe(200);
    const shown = await here.ask('ada', 'GET', `/v1/people/${id}`);
    expect(JSON.stringify(shown.body)).not.toContain(pickText(issued.body, 'token'));
    await here.post('ada', `/v1/people/${id}/roles/revoke`, { role: 'auditor' });
    expect((await here.ask(null, 'GET', '/v1/people', { headers })).status).toBe(403);
    await here.post('ada', `/v1/people/${id}/disable`, {});
    expect((await here.ask(null, 'GET', '/v1/people', { headers })).status).toBe(401);
  });

  it('cannot be given what only the inside of a deployment may be', async () => {
    for (const role of ['worker', 'keeper', 'founder']) {
      expect((await here.post('ada', `/v1/people/${here.people.nil}/roles`, { role })).status).toBe(422);
    }
    expect((await here.post('bea', `/v1/people/${here.people.bea}/roles`, { role: 'operator' })).status).toBe(403);
  });

  it('come in pages', async () => {
    const first = await here.ask('aud', 'GET', '/v1/people?limit=4');
    const next = pickText(first.body, 'next');
    const second = await here.ask('aud', 'GET', `/v1/people?limit=100&after=${next}`);
    const ids = [first, second].flatMap(({ body }) => (body['items'] as { id: string }[]).map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain(here.people.max);
    expect(pick(second.body, 'next')).toBeNull();
  });
});

describe('a prototype', () => {
  it('has one name in its workspace, hosts made of it, and an owner who can change', async () => {
    const made = await here.post('bea', '/v1/prototypes', { name: 'front-desk' });
    expect([made.status, made.headers['location']]).toEqual([201, `/v1/prototypes/${pickText(made.body, 'id')}`]);
    expect((await here.post('max', '/v1/prototypes', { name: 'front-desk' })).body).toMatchObject({
      status: 409,
      code: 'exists',
    });
    const lane = await here.ask('aud', 'GET', `/v1/lanes/${pickText(made.body, 'lanes', 'production')}`);
    expect(lane.body).toMatchObject({ host: 'front-desk.localhost', weight: 0, stable: null });
    const id = pickText(made.body, 'id');
    const owned = await here.post('bea', `/v1/prototypes/${id}/owner`, { owner: here.people.sam });
    expect(owned.body).toMatchObject({ owner: here.people.sam });
    expect((await here.post('bea', `/v1/prototypes/${id}/owner`, { owner: here.people.eve })).status).toBe(404);
    const held = await here.post('olga', `/v1/lanes/${pickText(lane.body, 'id')}/hold`, { reason: 'looking' });
    expect(held.body).toMatchObject({ hold: { reason: 'person', by: here.people.olga } });
  });
});

describe('metrics', () => {
  it('count requests by route and refusals by code, without any id', async () => {
    await here.ask('aud', 'GET', `/v1/promotions/prm_${'0'.repeat(32)}`);
    const { text } = await here.ask(null, 'GET', '/metrics');
    expect(text).toContain('proviso_api_requests_total{route="GET /v1/promotions/:id",status="404"} 1');
    expect(text).toMatch(/proviso_api_refusals_total\{code="not_found"\} \d+/);
    expect(text).not.toMatch(/(prm|psn|wsp)_[0-9a-f]{32}/);
  });
});
