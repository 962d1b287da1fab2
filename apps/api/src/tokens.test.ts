import { openJournal } from '@proviso/journal';
import { assemble } from './assembly.ts';
import {
  type Deployment,
  archiveOf,
  atApproval,
  formOf,
  grantToken,
  openDeployment,
  pick,
  pickText,
  registered,
} from './deployment.contract.ts';
import { openLog } from './log.ts';
import { createServer } from './server.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

/** A token that Ada, or somebody with Ada's rights, issues for somebody. */
async function issued(by: 'ada' | 'max', person: string) {
  const { body } = await here.post(by, `/v1/people/${person}/tokens`, {});
  const headers = { authorization: `Bearer ${pickText(body, 'token')}` };
  return { id: pickText(body, 'id'), headers };
}

type Lent = Awaited<ReturnType<typeof issued>>;

async function askWith({ headers }: Lent, url: string, payload: object) {
  return here.ask(null, 'POST', url, { payload, headers });
}

describe('a revoked token', () => {
  it('is unknown at once to every replica, and to nobody else', async () => {
    const journal = await openJournal({
      ...{ url: here.appUrl, connectionsMax: 2, origin: 'test', durable: false },
      vaultKeyHex: here.parts.config.vaultKeyHex,
    });
    const parts = assemble({ ...here.parts.config, evidence: here.evidence }, journal, openLog('silent'));
    const replica = await createServer(parts);
    try {
      const [one, other] = [await issued('ada', here.people.aud), await issued('ada', here.people.aud)];
      const there = async ({ headers }: Lent) =>
        (await replica.inject({ method: 'GET', url: '/v1/people', headers })).statusCode;
      expect([await there(one), await there(other)]).toEqual([200, 200]);
      const path = `/v1/people/${here.people.aud}/tokens/revoke`;
      expect((await here.post('bea', path, { token: one.id })).status).toBe(403);
      const revoked = await here.post('ada', path, { token: one.id });
      expect(revoked.status).toBe(200);
      expect(JSON.stringify(revoked.body['tokens'])).not.toContain(one.id);
      expect([await there(one), await there(other)]).toEqual([401, 200]);
      expect((await here.ask(null, 'GET', '/v1/people', { headers: one.headers })).status).toBe(401);
      expect((await here.post('ada', path, { token: one.id })).status).toBe(404);
      expect((await here.post('ada', path, { token: 'tok_1' })).status).toBe(422);
      expect((await here.ask('aud', 'GET', '/v1/people')).status).toBe(200);
    } finally {
      parts.feed.close();
      parts.metrics.close();
      await replica.close();
      await journal.close();
    }
  });
});

describe('a token that somebody else issued', () => {
  it('says whose issue it is, to people and in every entry', async () => {
    const lent = await issued('ada', here.people.bea);
    const shown = await here.ask('aud', 'GET', `/v1/people/${here.people.bea}`);
    expect(shown.body['tokens']).toContainEqual(expect.objectContaining({ id: lent.id, issuedBy: here.people.ada }));
    expect(pick(shown.body, 'tokens', 0, 'issuedBy')).toBeNull();
    const made = await askWith(lent, '/v1/prototypes', { name: 'lent-work' });
    const id = pickText(made.body, 'id');
    const [entry] = await here.parts.journal.reads(here.workspace).history({ stream: 'prototype', id, limit: 1 });
    expect(JSON.parse(entry?.bytes ?? '')).toMatchObject({ actor: { pid: here.people.bea, lentBy: here.people.ada } });
  });

  it('decides nothing, is not offered it, and cannot issue another that does', async () => {
    const { decisions, digests, promotion } = await atApproval(here, 'lent-votes');
    const vote = { verdict: 'approve', ...digests };
    const lent = await issued('max', here.people.sam);
    const refused = await askWith(lent, decisions, vote);
    expect(refused.body).toMatchObject({ status: 403, code: 'step_up_required', rule: 'separation/lent_token' });
    const shown = await here.ask(null, 'GET', `/v1/promotions/${promotion}`, { headers: lent.headers });
    const approve = (shown.body['actions'] as { rel: string }[]).find(({ rel }) => rel === 'approve');
    expect(approve).toMatchObject({ allowed: false, code: 'step_up_required' });
    await here.post('ada', `/v1/people/${here.people.kim}/roles`, { role: 'administrator' });
    const lentToKim = await issued('ada', here.people.kim);
    const second = await askWith(lentToKim, `/v1/people/${here.people.kim}/tokens`, {});
    const headers = { authorization: `Bearer ${pickText(second.body, 'token')}` };
    expect((await here.ask(null, 'POST', decisions, { payload: vote, headers })).body['code']).toBe('step_up_required');
    expect((await here.post('kim', decisions, vote)).status).toBe(201);
  });

  it('is good for nothing once its issuer is shut out, who knows it', async () => {
    const roles = [{ role: 'administrator' }];
    const issuer = pickText((await here.post('ada', '/v1/people', { name: 'Leaves', roles })).body, 'id');
    const headers = { authorization: `Bearer ${await grantToken(here, issuer)}` };
    const address = `/v1/people/${here.people.bea}/tokens`;
    const { body } = await here.ask(null, 'POST', address, { headers, payload: {} });
    const lent = { headers: { authorization: `Bearer ${pickText(body, 'token')}` } };
    expect((await here.ask(null, 'GET', '/v1/prototypes', lent)).status).toBe(200);
    await here.post('ada', `/v1/people/${issuer}/disable`, {});
    const answers = [
      await here.ask(null, 'GET', '/v1/prototypes', lent),
      await here.ask(null, 'POST', '/v1/prototypes', { ...lent, payload: { name: 'by-who-left' } }),
    ];
    expect(answers.map((one) => [one.status, one.body['code'], one.body['rule']])).toEqual(
      answers.map(() => [403, 'nobody_answers', 'lender']),
    );
    expect((await here.ask('bea', 'GET', '/v1/prototypes')).status).toBe(200);
  });

  it('leaves its issuer no vote on what was asked for with it', async () => {
    await here.post('ada', `/v1/people/${here.people.max}/roles`, { role: 'approver', group: 'security' });
    const lent = await issued('max', here.people.bea);
    const things = await registered(here, 'lent-request');
    const opened = await askWith(lent, '/v1/promotions', things);
    const id = pickText(opened.body, 'id') as `prm_${string}`;
    const view = await here.parts.journal.reads(here.workspace).promotion(id);
    expect(view?.state.exclusions).toContainEqual({ person: here.people.max, why: 'lender' });
  });

  it('leaves its issuer no vote on what was uploaded with it', async () => {
    const lent = await issued('max', here.people.bea);
    const { prototype, policy } = await registered(here, 'lent-upload');
    const form = formOf('v2', archiveOf('another content'));
    const frozen = await here.ask(null, 'POST', `/v1/prototypes/${prototype}/candidates`, {
      ...form,
      headers: { ...form.headers, ...lent.headers },
    });
    const candidate = pickText(frozen.body, 'candidate', 'id');
    const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
    const view = await here.parts.journal
      .reads(here.workspace)
      .promotion(pickText(opened.body, 'id') as `prm_${string}`);
    expect(view?.state.exclusions).toContainEqual({ person: here.people.max, why: 'lender' });
  });
});
