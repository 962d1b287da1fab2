import { randomUUID } from 'node:crypto';
import type { Command } from '@proviso/domain';
import { type Deployment, atApproval, openDeployment, pick, pickText, policySource } from './deployment.contract.ts';
import { refusalsPerMinuteMax } from './refusal-limit.ts';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

describe('a decision', () => {
  it('is refused to whoever has no right to it, and says who can', async () => {
    const { decisions, digests } = await atApproval(here, 'no-right');
    const nobody = await here.post('aud', decisions, { verdict: 'approve', ...digests });
    expect(nobody.status).toBe(403);
    expect(nobody.body).toMatchObject({ code: 'not_permitted', whoCan: ['group/security'] });
    const own = await here.post('bea', decisions, { verdict: 'approve', ...digests });
    expect(own.body).toMatchObject({ status: 403, code: 'own_work', rule: 'separation/requester' });
  });

  it('is recorded once for one key, and the key is refused for another body', async () => {
    const { decisions, digests, promotion } = await atApproval(here, 'same-key');
    const key = randomUUID();
    const first = await here.post('sam', decisions, { verdict: 'approve', reason: 'looks fine', ...digests }, key);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({ receipt: 'recorded', passed: false });
    const again = await here.post('sam', decisions, { verdict: 'approve', reason: 'looks fine', ...digests }, key);
    expect(again.status).toBe(201);
    expect(again.body).toEqual({ ...first.body, receipt: 'replayed' });
    const other = await here.post('sam', decisions, { verdict: 'reject', ...digests }, key);
    expect([other.status, other.body['code']]).toEqual([409, 'key_conflict']);
    const read = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(pick(read.body, 'gates', 1, 'decisions')).toHaveLength(1);
    expect(read.body['headline']).toContain('Security (1 of 2)');
    const told = await here.ask('aud', 'GET', `/v1/promotions/${promotion}/history`);
    const vote = (told.body['items'] as { kind: string }[]).find(({ kind }) => kind === 'decision_recorded');
    expect(vote).toMatchObject({ reason: 'looks fine', by: { id: here.people.sam, name: 'Name of sam' } });
  });

  it('at a gate that needs a fresh login is refused to a token, with the page where it can be made', async () => {
    const source = policySource
      .replace('policy: careful', 'policy: high-risk')
      .replace('count: 2', 'count: 1\n    stepUp: true');
    const published = await here.post('petra', '/v1/policies', { source });
    const { decisions, digests, gate, promotion } = await atApproval(here, 'high-risk', {
      policy: pickText(published.body, 'id'),
    });
    const answer = await here.post('sam', decisions, { verdict: 'approve', ...digests });
    expect([answer.status, answer.body['code'], answer.body['decideUrl']]).toEqual([
      ...[403, 'step_up_required', `/decide/${gate}`],
    ]);
    const shown = await here.ask('sam', 'GET', `/v1/promotions/${promotion}`);
    expect(shown.body['actions']).toContainEqual(
      expect.objectContaining({ rel: 'approve', allowed: false, code: 'step_up_required' }),
    );
    const command = {
      ...{ kind: 'Decide', promotion, gate: 'approval', attempt: 1, verdict: 'approve' },
      ...{
        decision: `dec_${'7'.repeat(32)}`,
        artifact: digests.artifactDigest,
        evidenceDigest: digests.evidenceDigest,
      },
    } as Command;
    const { journal, now } = here.parts;
    const atPage = { workspace: here.workspace, actor: here.people.sam, authn: 'session/page', command };
    const vote = (idempotencyKey: string, freshAt: number) =>
      journal.submit({ ...atPage, idempotencyKey, door: { channel: 'page', freshAt } });
    expect(await vote('an hour ago', now() - 3_600_000)).toMatchObject({ refusal: { code: 'step_up_required' } });
    expect(await vote('just now', now())).toMatchObject({ answer: { kind: 'decided', passed: true } });
  });

  it('on digests that are no longer current is 412, on an older attempt 409, by the same person twice 409', async () => {
    const { decisions, digests } = await atApproval(here, 'stale');
    const stale = { ...digests, evidenceDigest: `sha256:${'0'.repeat(64)}` };
    const answers = [
      await here.post('sam', decisions, { verdict: 'approve', ...stale }),
      await here.post('sam', decisions, { verdict: 'approve', attempt: 0, ...digests }),
      await here.post('sam', decisions, { verdict: 'approve', gateRevision: 999, ...digests }),
      await here.post('sam', decisions, { verdict: 'approve', ...digests }),
      await here.post('sam', decisions, { verdict: 'approve', ...digests }),
    ];
    expect(answers.map(({ status, body }) => [status, body['code'] ?? body['receipt']])).toEqual([
      [412, 'stale_evidence'],
      [409, 'stale_attempt'],
      [412, 'stale_evidence'],
      [201, 'recorded'],
      [409, 'already_decided'],
    ]);
  });

  it('is not found from another workspace, like everything else of it', async () => {
    const { decisions, digests, promotion, prototype, policy, gate } = await atApproval(here, 'elsewhere');
    const vote = await here.post('eve', decisions, { verdict: 'approve', ...digests });
    const stops = await here.post('eve', `/v1/promotions/${promotion}/cancel`, { reason: 'mine' });
    const reads = await Promise.all(
      [
        `promotions/${promotion}`,
        `prototypes/${prototype}`,
        `policies/${policy}`,
        `gates/${gate}`,
        `people/${here.people.bea}`,
      ].map((path) => here.ask('eve', 'GET', `/v1/${path}`)),
    );
    expect([vote, stops, ...reads].map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404, 404]);
    const list = await here.ask('eve', 'GET', '/v1/promotions');
    expect(list.body['items']).toEqual([]);
  });

  it('passes the gate when two others agree, however often a third is refused', async () => {
    const { decisions, digests, gate } = await atApproval(here, 'flood');
    const tries = Array.from(
      { length: refusalsPerMinuteMax + 40 },
      () => () => here.post('olga', decisions, { verdict: 'approve', ...digests }),
    );
    const statuses: number[] = [];
    for (const one of tries) statuses.push((await one()).status);
    expect(statuses.filter((status) => status === 403)).toHaveLength(refusalsPerMinuteMax);
    expect(statuses.slice(refusalsPerMinuteMax).every((status) => status === 429)).toBe(true);
    const votes = await Promise.all(
      (['sam', 'kim'] as const).map((actor) => here.post(actor, decisions, { verdict: 'approve', ...digests })),
    );
    expect(votes.map(({ status }) => status)).toEqual([201, 201]);
    expect(votes.filter(({ body }) => body['passed'])).toHaveLength(1);
    const read = await here.ask('sam', 'GET', `/v1/gates/${gate}`);
    expect(read.body).toMatchObject({
      status: 'passed',
      requirements: [{ from: 'group/security', count: 2, have: 2 }],
    });
  });
});
