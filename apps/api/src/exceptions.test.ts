import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Command, builtinPrincipals } from '@proviso/domain';
import {
  type Actor,
  type Deployment,
  atApproval,
  openDeployment,
  passByWorker,
  pick,
  pickText,
  policySource,
  registered,
} from './deployment.contract.ts';
import { createServer } from './server.ts';

let here: Deployment;
let policy: string;

beforeAll(async () => {
  here = await openDeployment();
  const source = policySource
    .replace('policy: careful', 'policy: with-exceptions')
    .replace(
      'count: 2',
      'count: 2\n    waivers: { from: role/operator, maxDays: 30 }\n    breakGlass: { from: group/security }',
    );
  policy = pickText((await here.post('petra', '/v1/policies', { source })).body, 'id');
});

afterAll(async () => {
  await here.close();
});

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

/** As somebody who has just logged in at the page. */
async function atPage(actor: Actor, command: Command) {
  const { journal, now } = here.parts;
  const receipt = await journal.submit({
    ...{ workspace: here.workspace, actor: here.people[actor], command, authn: 'session/page' },
    ...{ idempotencyKey: randomUUID(), door: { channel: 'page', freshAt: now() } },
  });
  return receipt.kind === 'refused' ? receipt.refusal.code : receipt.answer.kind;
}

async function historyOf(promotion: string) {
  const told = await here.ask('aud', 'GET', `/v1/promotions/${promotion}/history`);
  return told.body['items'] as { kind: string; by: { name: string } | null; reason: string | null }[];
}

describe('a waiver', () => {
  it('is asked for by one and agreed to by another, and every surface says who and until when', async () => {
    const things = { ...(await registered(here, 'waived')), policy };
    const promotion = pickText((await here.post('bea', '/v1/promotions', things)).body, 'id') as `prm_${string}`;
    await passByWorker(here, promotion, 'readiness', 'fail');
    const gate = `/v1/gates/gate_${promotion.slice(4)}-readiness`;
    const until = inDays(7);
    const wish = { owner: here.people.olga, until, reason: 'known and small' };
    const asked = await here.post('bea', `${gate}/waivers`, wish);
    expect([asked.status, asked.body['status']]).toEqual([201, 'failed']);
    const waiver = pickText(asked.body, 'waivers', 0, 'id');
    const own = await here.post('bea', `${gate}/waivers/approve`, { waiver });
    expect([own.status, own.body['whoCan']]).toEqual([403, ['role/operator']]);
    const agreed = await here.post('olga', `${gate}/waivers/approve`, { waiver });
    expect(agreed.body).toMatchObject({
      ...{ status: 'passed', verdict: 'waived' },
      waivers: [{ owner: { name: 'Name of olga' }, askedBy: { name: 'Name of bea' }, until, endedAt: null }],
    });
    const read = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(read.body['headline']).toContain('Waived until');
    expect((await historyOf(promotion)).slice(-4)).toMatchObject([
      { kind: 'waiver_asked', by: { name: 'Name of bea' }, reason: 'known and small' },
      ...[{ kind: 'waiver_approved', by: { name: 'Name of olga' } }, { kind: 'gate_waived' }, { kind: 'gate_opened' }],
    ]);
  });

  it('without a reason, for too long, or of what has not failed, is told what was expected', async () => {
    const { gate } = await atApproval(here, 'not-waived', { policy });
    const wish = { owner: here.people.olga, until: inDays(7), reason: 'please' };
    const answers = [
      await here.post('bea', `/v1/gates/${gate}/waivers`, { ...wish, reason: undefined }),
      await here.post('bea', `/v1/gates/${gate}/waivers`, { ...wish, until: 'next week' }),
      await here.post('bea', `/v1/gates/${gate}/waivers`, wish),
      await here.post('aud', `/v1/gates/${gate}/waivers`, wish),
      await here.post('olga', `/v1/gates/${gate}/waivers/approve`, { waiver: `wvr_${'0'.repeat(32)}` }),
    ];
    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
      ...[
        [422, 'invalid'],
        [422, 'invalid'],
        [409, 'gate_closed'],
        [403, 'not_permitted'],
        [404, 'not_found'],
      ],
    ]);
  });
});

describe('break-glass', () => {
  it('is refused to a token with the page to go to, and done there by three people; its review is owed', async () => {
    const { promotion, gate, digests } = await atApproval(here, 'emergency', { policy });
    const refused = await here.post('olga', `/v1/promotions/${promotion}/break-glass`, { reason: 'outage' });
    expect([refused.status, refused.body['code'], refused.body['decideUrl']]).toEqual([
      ...[403, 'step_up_required', `/decide/${gate}`],
    ]);
    const about = { promotion, artifact: digests.artifactDigest as `sha256:${string}` } as const;
    expect([
      await atPage('olga', { kind: 'AskBreakGlass', promotion, minutes: 30 }),
      await atPage('bea', { kind: 'ApproveBreakGlass', ...about }),
      await atPage('sam', { kind: 'ApproveBreakGlass', ...about }),
      await atPage('kim', { kind: 'ApproveBreakGlass', ...about }),
    ]).toEqual(['done', 'own_work', 'onward', 'onward']);
    const read = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(read.body).toMatchObject({
      breakGlass: { reviewDue: true, approvedBy: [{ name: 'Name of sam' }, { name: 'Name of kim' }] },
      headline: expect.stringContaining('Nobody has reviewed it yet.'),
    });
    expect(pick(read.body, 'gates', 1)).toMatchObject({ status: 'passed', verdict: 'waived' });
    expect(await atPage('sam', { kind: 'ReviewBreakGlass', promotion })).toBe('own_work');
    expect(await atPage('petra', { kind: 'ReviewBreakGlass', promotion })).toBe('done');
    const after = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(pick(after.body, 'breakGlass', 'reviewDue')).toBe(false);
  });
});

describe('a right to vote', () => {
  it('given to a person without any role lets them vote in that stead, until it is taken back', async () => {
    const { decisions, digests, promotion } = await atApproval(here, 'delegated');
    const vote = () => here.post('nil', decisions, { verdict: 'approve', ...digests });
    expect((await vote()).status).toBe(403);
    const delegations = `/v1/people/${here.people.nil}/delegations`;
    const given = await here.post('sam', delegations, { until: inDays(5) });
    expect([given.status, given.body['delegations']]).toEqual([
      ...[201, [expect.objectContaining({ from: here.people.sam, prototype: null })]],
    ]);
    const ended = await here.post('kim', `${delegations}/end`, {});
    expect([ended.status, ended.body['code']]).toEqual([404, 'not_found']);
    expect((await vote()).body).toMatchObject({ receipt: 'recorded', passed: false });
    const own = await here.post('sam', decisions, { verdict: 'approve', ...digests });
    expect([own.status, own.body['code']]).toEqual([409, 'already_decided']);
    const read = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(pick(read.body, 'gates', 1, 'decisions', 0)).toMatchObject({
      ...{ person: { name: 'Name of nil' }, rightOf: { name: 'Name of sam' } },
    });
    expect(read.body['headline']).toContain('Security (1 of 2)');
    await here.post('sam', `${delegations}/end`, {});
    const last = await here.post('kim', decisions, { verdict: 'approve', ...digests });
    expect(last.body).toMatchObject({ passed: false });
    const after = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(pick(after.body, 'gates', 1, 'decisions', 0, 'voided')).toBe('delegation_ended');
  });

  it('is given for ninety days at most, to other people only, and by who has one', async () => {
    const to = (who: Actor) => `/v1/people/${here.people[who]}/delegations`;
    const answers = [
      await here.post('kim', to('aud'), { until: inDays(91) }),
      await here.post('kim', to('kim'), { until: inDays(9) }),
      await here.post('kim', to('edge'), { until: inDays(9) }),
      await here.post('aud', to('kim'), { until: inDays(9) }),
    ];
    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
      ...[
        [422, 'until_invalid'],
        [403, 'not_permitted'],
        [403, 'not_permitted'],
        [403, 'not_permitted'],
      ],
    ]);
  });
});

describe('what is offered beside votes', () => {
  type Offered = { rel: string; allowed: boolean; code: string | null; whoCan: readonly string[] };
  const offeredTo = async (actor: Actor, address: string, rel: string) =>
    ((await here.ask(actor, 'GET', address)).body['actions'] as Offered[]).find((one) => one.rel === rel);

  it('is putting off and the glass where people are asked, each with who can and what is in the way', async () => {
    const { promotion, gate } = await atApproval(here, 'offers-glass', { policy });
    const at = `/v1/promotions/${promotion}`;
    expect(await offeredTo('sam', at, 'defer')).toMatchObject({ allowed: true, whoCan: ['group/security'] });
    expect(await offeredTo('bea', `/v1/gates/${gate}`, 'defer')).toMatchObject({ allowed: false, code: 'own_work' });
    expect(await offeredTo('bea', at, 'ask_break_glass')).toMatchObject({ allowed: false, code: 'step_up_required' });
    expect(await offeredTo('aud', at, 'ask_break_glass')).toMatchObject({
      ...{ allowed: false, code: 'not_permitted', whoCan: ['role/builder', 'role/operator'] },
    });
    expect(await offeredTo('sam', at, 'approve_break_glass')).toBeUndefined();
    expect(await atPage('olga', { kind: 'AskBreakGlass', promotion, minutes: 30 })).toBe('done');
    expect(await offeredTo('sam', at, 'approve_break_glass')).toMatchObject({ whoCan: ['group/security'] });
    expect(await offeredTo('sam', at, 'ask_break_glass')).toBeUndefined();
    const plain = await atApproval(here, 'offers-no-glass');
    expect(await offeredTo('bea', `/v1/promotions/${plain.promotion}`, 'ask_break_glass')).toBeUndefined();
  });

  it('is the review of a broken glass, until somebody has reviewed it', async () => {
    const { promotion, digests } = await atApproval(here, 'offers-review', { policy });
    const about = { promotion, artifact: digests.artifactDigest as `sha256:${string}` } as const;
    await atPage('olga', { kind: 'AskBreakGlass', promotion, minutes: 30 });
    for (const actor of ['sam', 'kim'] as const) await atPage(actor, { kind: 'ApproveBreakGlass', ...about });
    const at = `/v1/promotions/${promotion}`;
    expect(await offeredTo('petra', at, 'review_break_glass')).toMatchObject({ code: 'step_up_required' });
    expect(await atPage('petra', { kind: 'ReviewBreakGlass', promotion })).toBe('done');
    expect(await offeredTo('petra', at, 'review_break_glass')).toBeUndefined();
  });

  it('is a waiver of what failed: to ask for, and to agree to by somebody else', async () => {
    const things = { ...(await registered(here, 'offers-waiver')), policy };
    const promotion = pickText((await here.post('bea', '/v1/promotions', things)).body, 'id') as `prm_${string}`;
    await passByWorker(here, promotion, 'readiness', 'fail');
    const gate = `/v1/gates/gate_${promotion.slice(4)}-readiness`;
    expect(await offeredTo('bea', gate, 'ask_waiver')).toMatchObject({ allowed: true, code: null });
    expect(await offeredTo('olga', gate, 'approve_waiver')).toBeUndefined();
    const wish = { owner: here.people.bea, until: inDays(7), reason: 'known and small' };
    expect((await here.post('olga', `${gate}/waivers`, wish)).status).toBe(201);
    expect(await offeredTo('olga', gate, 'approve_waiver')).toMatchObject({ allowed: false, code: 'own_work' });
    expect(await offeredTo('max', gate, 'approve_waiver')).toMatchObject({ allowed: true, whoCan: ['role/operator'] });
    expect(await offeredTo('aud', gate, 'approve_waiver')).toMatchObject({ code: 'not_permitted' });
  });
});

describe('putting off', () => {
  it('is no vote, and is shown with who and until when', async () => {
    const { gate } = await atApproval(here, 'put-off');
    const until = inDays(2);
    const answer = await here.post('sam', `/v1/gates/${gate}/defer`, { until });
    expect(answer.body).toMatchObject({ decisions: [], deferred: { by: { name: 'Name of sam' }, until } });
    const late = await here.post('sam', `/v1/gates/${gate}/defer`, { until: inDays(8) });
    expect([late.status, late.body['code']]).toEqual([422, 'until_invalid']);
    expect((await here.post('bea', `/v1/gates/${gate}/defer`, { until })).body['code']).toBe('own_work');
  });
});

describe('the clock of the API', () => {
  it('may be a month ahead: a vote within the time of the database counts', async () => {
    const { decisions, digests } = await atApproval(here, 'ahead');
    const ahead = await createServer({ ...here.parts, now: () => Date.now() + 30 * 86_400_000 });
    const answer = await ahead
      .getHttpAdapter()
      .getInstance()
      .inject({
        ...{ method: 'POST', url: decisions, payload: { verdict: 'approve', ...digests } },
        headers: { authorization: `Bearer ${here.tokens.sam}` },
      });
    expect(answer.statusCode).toBe(201);
    await ahead.close();
  });

  it('may be an hour behind: a vote after the deadline is late all the same', async () => {
    const source = policySource
      .replace('policy: careful', 'policy: hasty')
      .replace('count: 2', 'count: 1\n    expires: 1s');
    const hasty = pickText((await here.post('petra', '/v1/policies', { source })).body, 'id');
    const { decisions, digests, promotion } = await atApproval(here, 'behind', { policy: hasty });
    await untilExpired(promotion);
    const behind = await createServer({ ...here.parts, now: () => Date.now() - 3_600_000 });
    const answer = await behind
      .getHttpAdapter()
      .getInstance()
      .inject({
        ...{ method: 'POST', url: decisions, payload: { verdict: 'approve', ...digests } },
        headers: { authorization: `Bearer ${here.tokens.sam}` },
      });
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'expired']);
    await behind.close();
  });
});

/** Asks, as the workflow does, until the journal says that it is over. */
async function untilExpired(promotion: `prm_${string}`): Promise<void> {
  for (let tries = 1; tries <= 200; tries += 1) {
    const receipt = await here.parts.journal.submit({
      ...{ workspace: here.workspace, actor: builtinPrincipals.worker.id, authn: 'service/worker' },
      ...{ idempotencyKey: randomUUID(), command: { kind: 'Tick', promotion } },
    });
    if (receipt.kind === 'accepted' && receipt.answer.kind === 'onward' && receipt.answer.onward.kind === 'end') return;
    await pause(20);
  }
  throw new Error('expected the gate to expire within four seconds');
}

describe('retiring', () => {
  it('needs a reason, an operator, and something that is live', async () => {
    const { prototype } = await registered(here, 'retired');
    const read = await here.ask('aud', 'GET', `/v1/prototypes/${prototype}`);
    const address = `/v1/lanes/${pickText(read.body, 'lanes', 'production')}/retire`;
    const answers = [
      await here.post('olga', address, {}),
      await here.post('bea', address, { reason: 'old' }),
      await here.post('olga', address, { reason: 'old' }),
    ];
    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
      ...[
        [422, 'invalid'],
        [403, 'not_permitted'],
        [409, 'nothing_live'],
      ],
    ]);
  });
});
