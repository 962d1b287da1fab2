import { randomUUID } from 'node:crypto';
import {
  type Deployment,
  atApproval,
  openDeployment,
  pick,
  pickText,
  policySource,
  registered,
} from './deployment.contract.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

const named = (name: string, source = policySource) => source.replace('policy: careful', `policy: ${name}`);
const one = (source: string) => source.replace('count: 2', 'count: 1');
const publish = (body: object) => here.post('petra', '/v1/policies', body);
const agree = (id: string, actor: 'ada' | 'petra' | 'sam', digest: unknown) =>
  here.post(actor, `/v1/policies/${id}/agreement`, { digest });

describe('a canary that is judged by more than errors, on a ramp from a budget', () => {
  const measured = (portion: number, badRequests: number) =>
    named('measured').replace(
      /weights: .*/,
      `ramp: { budget: { badRequests: ${badRequests}, requestsPerSecond: 100 } }
    metrics: { latency: { portion: 0.2 }, cost: { portion: ${portion} } }`,
    );

  it('is published with what was planned, and a larger budget or a metric less is weaker', async () => {
    const id = pickText((await publish({ source: measured(0.1, 50) })).body, 'id') as `pol_${string}`;
    const view = await here.parts.journal.reads(here.workspace).policy(id);
    expect(view?.state.current.policy.gates.at(-1)).toMatchObject({
      ramp: { budget: { badRequests: 50, requestsPerSecond: 100, badShare: 1 }, hold: 'usual' },
      metrics: { latency: { portion: 0.2 }, cost: { portion: 0.1 } },
      weights: expect.arrayContaining([20]),
    });
    for (const [source, field] of [
      [measured(0.1, 100), 'canary.ramp'],
      [measured(0.1, 50).replace(/, cost: .* } }/, ' }'), 'canary.metrics'],
    ] as const) {
      const refused = await publish({ source });
      expect([refused.status, refused.body['code']]).toEqual([422, 'reason_required']);
      expect(refused.body['detail']).toContain(field);
    }
  });

  it.each([
    ['portions', measured(0.8, 50), 'expected portions that leave a part to errors (a sum below 1), got 1'],
    ['budgets', measured(0.1, 1), 'expected a budget of at least'],
  ])('is refused with the line for %s that make no sense', async (_what, source, message) => {
    const { status, body } = await publish({ source });
    expect([status, body['code']]).toEqual([422, 'policy_invalid']);
    expect(body['errors']).toEqual([
      {
        pointer: expect.stringMatching(/^\/source#line=\d+,column=\d+$/),
        code: 'not_allowed',
        message: expect.stringContaining(message),
      },
    ]);
  });
});

describe('a weaker version of a policy', () => {
  it('takes a reason, an end and an administrator, and is told in the versions', async () => {
    const id = pickText((await publish({ source: named('eased') })).body, 'id');
    const bare = await publish({ source: one(named('eased')) });
    expect([bare.status, bare.body['code']]).toEqual([422, 'reason_required']);
    expect(bare.body['detail']).toContain('approval.requirements from 2 of group/security to 1 of group/security');
    const half = await publish({ source: one(named('eased')), weakerForDays: 3 });
    expect([half.status, half.body['code']]).toEqual([422, 'invalid']);
    const reason = 'two of three are on holiday';
    const waits = await publish({ source: one(named('eased')), reason, weakerForDays: 3 });
    expect(waits.body).toMatchObject({ version: 1, waiting: { version: 2, author: here.people.petra } });
    const digest = pick(waits.body, 'waiting', 'digest');
    expect((await agree(id, 'sam', digest)).status).toBe(403);
    const agreed = await agree(id, 'ada', digest);
    expect(agreed.body).toMatchObject({ version: 2, waiting: null, digest });
    expect(Date.parse(pickText(agreed.body, 'until')) - Date.now()).toBeGreaterThan(2.9 * 86_400_000);
    const versions = await here.ask('aud', 'GET', `/v1/policies/${id}/versions`);
    expect(versions.body['items']).toMatchObject([
      {
        ...{ version: 2, agreed: true, reason },
        edits: [{ field: 'approval.requirements', strength: 'weaker' }],
      },
      { version: 1, agreed: true, until: null, reason: null, edits: [] },
    ]);
    const first = await here.ask('aud', 'GET', `/v1/policies/${id}/versions/1`);
    expect(first.body).toMatchObject({ version: 1, source: named('eased') });
    expect((await here.ask('aud', 'GET', `/v1/policies/${id}/versions/3`)).status).toBe(404);
  });

  it('is not agreed to by its author, however many roles they have', async () => {
    const id = pickText((await here.post('max', '/v1/policies', { source: named('own') })).body, 'id');
    const body = { source: one(named('own')), reason: 'quicker', weakerForDays: 1 };
    const waits = await here.post('max', '/v1/policies', body);
    const refused = await here.post('max', `/v1/policies/${id}/agreement`, {
      digest: pick(waits.body, 'waiting', 'digest'),
    });
    expect([refused.status, refused.body['code']]).toEqual([403, 'own_work']);
  });

  it('keeps its reason out of the journal', async () => {
    const secret = `because ${randomUUID()}`;
    const id = pickText((await publish({ source: named('quiet') })).body, 'id') as `pol_${string}`;
    await publish({ source: one(named('quiet')), reason: secret, weakerForDays: 1 });
    const entries = await here.parts.journal.reads(here.workspace).history({ stream: 'policy', id, limit: 10 });
    expect(entries.map(({ kind }) => kind)).toEqual(['policy_published', 'policy_proposed']);
    expect(entries.map(({ bytes }) => bytes).join()).not.toContain(secret);
  });
});

describe('a policy that is refused when it is saved', () => {
  it('says which group lacks how many', async () => {
    const refused = await publish({ source: named('crowded').replace('count: 2', 'count: 4') });
    expect([refused.status, refused.body['code']]).toEqual([409, 'policy_unsatisfiable']);
    // Bea, Sam and Kim approve for security; one of them may be who builds.
    expect(refused.body['detail']).toContain('2 more of group/security missing');
  });

  it('names the field in which it is weaker than what it extends', async () => {
    await publish({ source: named('company') });
    const refused = await publish({ source: one(named('team', `extends: company\n${policySource}`)) });
    expect([refused.status, refused.body['code']]).toEqual([409, 'policy_weaker']);
    expect(refused.body['detail']).toBe(
      'expected team to be at least as strong as company in approval.requirements (2 of group/security), got 1 of group/security',
    );
  });

  it('points at the line of what makes no sense as a whole', async () => {
    const refused = await publish({
      source: named('late').replace('      - from', '      # a\n      - from') + 'evidenceAgeMax: 1d\n',
    });
    expect(pick(refused.body, 'errors', 0)).toMatchObject({ pointer: expect.stringMatching(/^\/source#line=4,/) });
  });
});

describe('joined requirements', () => {
  const joined = named('joined').replace(
    '      - from: group/security\n        count: 2\n',
    '      - from: group/security\n        count: 1\n      - any:\n          - {from: role/operator, count: 1}\n          - {from: group/security, count: 1}\n',
  );

  it('are met by any people who fit, and say in words what is missing until then', async () => {
    const policy = pickText((await publish({ source: joined })).body, 'id');
    const { decisions, digests, gate } = await atApproval(here, 'joined', { policy });
    const first = await here.post('sam', decisions, { verdict: 'approve', ...digests });
    expect(first.body).toMatchObject({ passed: false });
    const shown = await here.ask('bea', 'GET', `/v1/gates/${gate}`);
    expect(shown.body).toMatchObject({
      missing: '1 more of role/operator, or 1 more of group/security',
      requirements: [{ have: 1 }, { have: 0 }, { have: 0 }],
    });
    expect((await here.post('olga', decisions, { verdict: 'approve', ...digests })).body).toMatchObject({
      passed: true,
    });
  });
});

describe('a draft', () => {
  it('is tried on a promotion without changing anything, and names the rule that says no', async () => {
    const { promotion } = await atApproval(here, 'tried');
    const attempt = async (who: 'bea' | 'sam' | 'olga', source = policySource) =>
      (await here.post('aud', '/v1/policies/try', { source, person: here.people[who], promotion })).body;
    expect(await attempt('bea')).toMatchObject({ allowed: false, code: 'own_work', rule: 'separation/requester' });
    expect(await attempt('olga')).toMatchObject({ allowed: false, code: 'not_permitted', rule: 'requirement' });
    expect(await attempt('sam')).toMatchObject({ allowed: true, met: false, missing: '1 more of group/security' });
    expect(await attempt('sam', one(policySource))).toMatchObject({ allowed: true, met: true, missing: null });
    const shown = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(shown.body).toMatchObject({ state: 'waiting_for_human' });
  });
});

describe('a tier', () => {
  it('is given by a policy owner alone, and chooses what the promotion pins', async () => {
    const tiers =
      'tiers:\n  internal:\n    gates: [approval, canary]\n    requirements: [{from: group/security, count: 1}]\n';
    const policy = pickText((await publish({ source: `${named('tiered')}${tiers}` })).body, 'id');
    const { prototype, candidate } = await registered(here, 'tiered');
    const assign = (actor: 'bea' | 'petra', tier: string) =>
      here.post(actor, `/v1/prototypes/${prototype}/tier`, { tier });
    expect((await assign('bea', 'internal')).status).toBe(403);
    expect((await assign('petra', 'public')).body).toMatchObject({ tier: 'public' });
    const blocked = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
    expect([blocked.status, blocked.body['code']]).toEqual([422, 'policy_unknown']);
    await assign('petra', 'internal');
    const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
    expect(opened.body).toMatchObject({
      gates: [{ name: 'approval', requirements: [{ from: 'group/security', count: 1 }] }, { name: 'canary' }],
    });
  });
});
