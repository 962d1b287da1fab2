import {
  type Deployment,
  atApproval,
  forgiveAll,
  grantToken,
  openDeployment,
  pickText,
} from './deployment.contract.ts';
import { signedInBy, voteForm } from './browser.contract.ts';

// Somebody whose only right is one that was given to them: they read what they are to vote on, and nothing else.

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

beforeEach(() => forgiveAll(here));

type Scene = Awaited<ReturnType<typeof atApproval>>;

interface Visitor {
  readonly id: `psn_${string}`;
  readonly token: string;
  readonly get: (url: string) => Promise<number>;
}

/** Somebody new without any role. */
async function visitor(): Promise<Visitor> {
  const added = await here.post('ada', '/v1/people', { name: 'Dana' });
  const id = pickText(added.body, 'id') as Visitor['id'];
  const token = await grantToken(here, id);
  const headers = { authorization: `Bearer ${token}` };
  return { id, token, get: async (url) => (await here.ask(null, 'GET', url, { headers })).status };
}

/** Sam gives their right to vote. */
async function give({ id }: Visitor, over: { prototype?: string; untilMs?: number } = {}) {
  const { untilMs = Date.now() + 3_600_000, ...scope } = over;
  const given = await here.post('sam', `/v1/people/${id}/delegations`, {
    ...scope,
    until: new Date(untilMs).toISOString(),
  });
  expect(given.status).toBe(201);
}

/** Where something of a promotion is read, with a document that one of its gates rests on. */
async function readsOf({ promotion, gate }: Scene) {
  const view = await here.parts.journal.reads(here.workspace).promotion(promotion);
  const evidence = view?.state.gates[0]?.evidence[0]?.digest ?? '';
  return [`/v1/promotions/${promotion}`, `/v1/gates/${gate}`, `/v1/evidence/${evidence}`];
}

async function statuses({ get }: Visitor, urls: readonly string[]) {
  return await Promise.all(urls.map(get));
}

describe('who votes in another’s stead', () => {
  it('reads the promotion, its gates and what these rest on, until the right is taken back', async () => {
    const scene = await atApproval(here, 'read-to-vote');
    const [dana, urls] = [await visitor(), await readsOf(scene)];
    expect(await statuses(dana, urls)).toEqual([403, 403, 403]);
    await give(dana);
    expect(await statuses(dana, urls)).toEqual([200, 200, 200]);
    await here.post('sam', `/v1/people/${dana.id}/delegations/end`, {});
    expect(await statuses(dana, urls)).toEqual([403, 403, 403]);
  });

  it('is shown the page of the gate and decides there, and reads what came of it', async () => {
    const scene = await atApproval(here, 'page-to-vote');
    const dana = await visitor();
    const browser = await signedInBy(here, dana.token);
    const page = `/decide/${scene.gate}`;
    expect((await browser.get(page)).status).toBe(403);
    expect((await browser.post(page, voteForm(scene.digests))).status).toBe(403);
    await give(dana, { prototype: scene.prototype });
    const shown = await browser.get(page);
    expect([shown.status, shown.text.includes('page-to-vote')]).toEqual([200, true]);
    expect((await browser.post(page, voteForm(scene.digests))).status).toBe(303);
    expect((await browser.get(page)).text).toContain('You have approved');
  });

  it('finds in their inbox what waits for them, and nothing else', async () => {
    const [scene] = [await atApproval(here, 'in-their-inbox'), await atApproval(here, 'in-no-inbox-of-theirs')];
    const dana = await visitor();
    const browser = await signedInBy(here, dana.token);
    const before = await browser.get('/');
    expect([before.status, before.text.includes('You have no role here yet')]).toEqual([403, true]);
    await give(dana, { prototype: scene.prototype });
    const { status, text } = await browser.get('/');
    expect(await dana.get('/v1/evidence/none')).toBe(403);
    expect([status, text.includes(`/decide/${scene.gate}`), text.includes('in-no-inbox')]).toEqual([200, true, false]);
    await here.post('sam', `/v1/people/${dana.id}/delegations/end`, {});
    expect((await browser.get('/')).status).toBe(403);
  });

  it('reads until the very end of it, and not a moment longer', async () => {
    const scene = await atApproval(here, 'read-until');
    const [dana, [url = '']] = [await visitor(), await readsOf(scene)];
    const untilMs = Date.now() + 1_500;
    await give(dana, { untilMs });
    expect(await dana.get(url)).toBe(200);
    while ((await dana.get(url)) === 200) expect(Date.now()).toBeLessThan(untilMs + 1_000);
    expect(Date.now()).toBeGreaterThanOrEqual(untilMs);
    expect(await dana.get(url)).toBe(403);
  });

  it('reads nothing of another prototype where the right is for one', async () => {
    const [scene, other] = [await atApproval(here, 'given-for'), await atApproval(here, 'not-given-for')];
    const dana = await visitor();
    await give(dana, { prototype: scene.prototype });
    expect(await statuses(dana, await readsOf(scene))).toEqual([200, 200, 200]);
    expect(await statuses(dana, await readsOf(other))).toEqual([403, 403, 403]);
  });

  it('reads nothing else of the workspace', async () => {
    const scene = await atApproval(here, 'nothing-else');
    const dana = await visitor();
    await give(dana);
    const [url = ''] = await readsOf(scene);
    const others = [
      // A preview lasts a working day, whatever ends meanwhile.
      ...[
        `${url}/preview`,
        `${url}/history`,
        `${url}/explain`,
        `/v1/gates/${scene.gate}/prompts`,
        '/v1/promotions',
        '/v1/events',
      ],
      ...['/v1/prototypes', `/v1/prototypes/${scene.prototype}`, '/v1/people', `/v1/people/${here.people.sam}`],
      ...['/v1/policies', `/v1/policies/${scene.policy}`, '/v1/lanes', '/v1/running', '/v1/webhooks'],
    ];
    const told = await statuses(dana, others);
    expect(others.map((one, index) => [one, told[index]])).toEqual(others.map((one) => [one, 403]));
    const { body } = await here.ask('aud', 'GET', `/v1/prototypes/${scene.prototype}/candidates`);
    expect(await dana.get(`/v1/evidence/${pickText(body, 'items', 0, 'artifactDigest')}`)).toBe(403);
  });

  it('reads nothing where they could not vote: their own work, that of who gave it, or a right that was lost', async () => {
    const scene = await atApproval(here, 'no-vote-no-sight');
    const [url = ''] = await readsOf(scene);
    const [dana, eda] = [await visitor(), await visitor()];
    // Bea built it: her right reaches everywhere but here.
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await here.post('bea', `/v1/people/${dana.id}/delegations`, { until })).status).toBe(201);
    expect(await dana.get(url)).toBe(403);
    const gone = await here.post('ada', '/v1/people', {
      name: 'Lea',
      roles: [{ role: 'approver', group: 'security' }],
    });
    const lea = pickText(gone.body, 'id');
    const headers = { authorization: `Bearer ${await grantToken(here, lea)}` };
    await here.ask(null, 'POST', `/v1/people/${eda.id}/delegations`, { payload: { until }, headers });
    expect(await eda.get(url)).toBe(200);
    await here.post('ada', `/v1/people/${lea}/disable`, {});
    expect(await eda.get(url)).toBe(403);
  });

  it('reads nothing of another workspace, and cannot tell its things from none', async () => {
    const scene = await atApproval(here, 'other-workspace');
    const workspace = pickText((await here.ask('eve', 'GET', '/v1/me')).body, 'workspace', 'id') as `wsp_${string}`;
    const added = await here.post('eve', '/v1/people', { name: 'Stranger' });
    const id = pickText(added.body, 'id');
    const until = new Date(Date.now() + 3_600_000).toISOString();
    expect((await here.post('eve', `/v1/people/${id}/delegations`, { until })).status).toBe(201);
    const headers = { authorization: `Bearer ${await grantToken({ ...here, workspace }, id)}` };
    const nothing = [`/v1/promotions/prm_${'0'.repeat(32)}`, `/v1/gates/gate_${'0'.repeat(32)}-approval`];
    for (const url of [...(await readsOf(scene)), ...nothing, `/v1/evidence/sha256:${'0'.repeat(64)}`]) {
      const { status, body } = await here.ask(null, 'GET', url, { headers });
      expect([url, status, body['detail']]).toEqual([url, 403, 'expected somebody who may read this workspace']);
    }
  });

  it('still reads with a token that may read, and with no other', async () => {
    const scene = await atApproval(here, 'narrow-to-vote');
    const [dana, [url = '']] = [await visitor(), await readsOf(scene)];
    await give(dana);
    for (const [scope, status] of [
      ['read', 200],
      ['decide', 403],
    ] as const) {
      const headers = { authorization: `Bearer ${dana.token}` };
      const payload = { scopes: [scope] };
      const issued = await here.ask(null, 'POST', '/v1/me/tokens', { payload, headers });
      const narrow = { authorization: `Bearer ${pickText(issued.body, 'token')}` };
      expect([scope, (await here.ask(null, 'GET', url, { headers: narrow })).status]).toEqual([scope, status]);
    }
  });

  it('has read what they vote on: the digests come from there', async () => {
    const scene = await atApproval(here, 'vote-on-what-was-read');
    const dana = await visitor();
    await give(dana);
    const headers = { authorization: `Bearer ${dana.token}` };
    const { body } = await here.ask(null, 'GET', `/v1/gates/${scene.gate}`, { headers });
    const { artifactDigest, evidenceDigest } = body;
    const payload = { verdict: 'approve', artifactDigest, evidenceDigest };
    const told = await here.ask(null, 'POST', scene.decisions, { payload, headers });
    expect(told).toMatchObject({ status: 201, body: { receipt: 'recorded', passed: false } });
  });
});
