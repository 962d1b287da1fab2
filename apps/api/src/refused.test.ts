import { randomUUID } from 'node:crypto';
import { type Actor, type Deployment, atApproval, openDeployment } from './deployment.contract.ts';
import { refusalsPerMinuteMax } from './refusal-limit.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

interface Told {
  readonly kind: string;
  readonly actor: { readonly pid: string; readonly authn: string };
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the stream of refusals says about one person. */
async function refusalsOf(actor: Actor): Promise<readonly Told[]> {
  const log = await here.parts.journal.reads(here.workspace).history({ stream: 'log', id: 'refusals', limit: 1_000 });
  return log.map(({ bytes }) => JSON.parse(bytes) as Told).filter((told) => told.actor.pid === here.people[actor]);
}

describe('what is refused', () => {
  it('at a door is an entry with the door and the rule, for reads too', async () => {
    expect((await here.ask('nil', 'GET', '/v1/people')).status).toBe(403);
    expect((await here.ask('nil', 'POST', '/v1/edge/orders', { payload: {} })).status).toBe(403);
    expect(await refusalsOf('nil')).toMatchObject([
      { kind: 'refusal_recorded', body: { door: 'GET /v1/people', code: 'not_permitted', rule: 'ability/read' } },
      { kind: 'refusal_recorded', body: { door: 'POST /v1/edge/orders', rule: 'ability/run_edge' } },
    ]);
    await here.parts.summary.flush();
    expect(await refusalsOf('nil')).toHaveLength(2);
  });

  it('as a vote on a state of the gate that nobody has seen yet is an entry too, and counts as a try', async () => {
    const { decisions, digests } = await atApproval(here, 'ahead');
    const vote = { verdict: 'approve', gateRevision: 999, ...digests };
    const before = (await refusalsOf('kim')).length;
    const answers = [];
    for (let index = 0; index < refusalsPerMinuteMax + 5; index += 1)
      answers.push((await here.post('kim', decisions, vote)).body['code']);
    expect(answers.filter((code) => code === 'stale_evidence')).toHaveLength(refusalsPerMinuteMax);
    expect(new Set(answers)).toEqual(new Set(['stale_evidence', 'too_many_refusals']));
    const told = (await refusalsOf('kim')).slice(before);
    expect(told).toHaveLength(refusalsPerMinuteMax);
    expect(told[0]).toMatchObject({
      body: { door: 'POST /v1/gates/:id/decisions', code: 'stale_evidence', rule: 'gate/revision' },
    });
  }, 60_000);

  it('for a key that was used for something else is an entry too, and counts as a try', async () => {
    const made = randomUUID();
    await here.post('ada', '/v1/people', { name: 'One' }, made);
    const answers = [];
    for (let index = 0; index < refusalsPerMinuteMax + 20; index += 1)
      answers.push((await here.post('ada', '/v1/people', { name: `Other ${index}` }, made)).body['code']);
    expect(answers.filter((code) => code === 'key_conflict')).toHaveLength(refusalsPerMinuteMax);
    expect(new Set(answers)).toEqual(new Set(['key_conflict', 'too_many_refusals']));
    const conflicts = (await refusalsOf('ada')).filter(({ body }) => body['code'] === 'key_conflict');
    expect(conflicts).toHaveLength(refusalsPerMinuteMax);
  }, 60_000);

  it('as a small mistake is summed up: one entry a person, however many there were', async () => {
    const { decisions } = await atApproval(here, 'typos');
    for (let index = 0; index < 30; index += 1) {
      await here.ask('aud', 'GET', `/v1/promotions/prm_${'0'.repeat(32)}`);
      await here.ask('aud', 'GET', '/v1/promotions?open=perhaps');
      await here.ask('sam', 'POST', decisions, { payload: '{', headers: { 'content-type': 'application/json' } });
    }
    await here.ask('aud', 'POST', '/v1/people', { payload: 'x', headers: { 'content-type': 'text/csv' } });
    expect(await refusalsOf('aud')).toEqual([]);
    await here.parts.summary.flush();
    expect(await refusalsOf('aud')).toMatchObject([
      { kind: 'refusals_summed', body: { codes: { not_found: 30, invalid: 30, unsupported_media_type: 1 } } },
    ]);
    expect(await refusalsOf('sam')).toMatchObject([{ body: { codes: { malformed_request: 30 } } }]);
    await here.parts.summary.flush();
    expect(await refusalsOf('aud')).toHaveLength(1);
  });

  it('in a flood of forbidden reads ends in 429, fills no table, and lets others read meanwhile', async () => {
    here.parts.refusals.forgive(here.people.edge);
    const flood = Promise.all(
      Array.from({ length: 1_000 }, () => here.ask('edge', 'GET', '/v1/promotions').then(({ status }) => status)),
    );
    expect((await here.ask('bea', 'GET', '/v1/promotions')).status).toBe(200);
    expect(new Set(await flood)).toEqual(new Set([403, 429]));
    await here.parts.summary.flush();
    const told = await refusalsOf('edge');
    const each = told.filter(({ kind }) => kind === 'refusal_recorded');
    const summed = told.filter(({ kind }) => kind === 'refusals_summed');
    expect(each.length).toBeLessThanOrEqual(refusalsPerMinuteMax);
    expect(summed).toHaveLength(1);
    expect(summed[0]?.body['codes']).toEqual({ too_many_refusals: 1_000 - each.length });
  }, 60_000);

  it('because it is not there fills no table either', async () => {
    here.parts.refusals.forgive(here.people.max);
    const path = `/v1/people/${here.people.nil}/roles/revoke`;
    const answers = [];
    for (let index = 0; index < refusalsPerMinuteMax + 10; index += 1)
      answers.push((await here.post('max', path, { role: 'auditor' })).status);
    expect(answers.filter((status) => status === 404)).toHaveLength(refusalsPerMinuteMax);
    expect((await refusalsOf('max')).filter(({ body }) => body['code'] === 'not_found')).toHaveLength(
      refusalsPerMinuteMax,
    );
  }, 60_000);
});
