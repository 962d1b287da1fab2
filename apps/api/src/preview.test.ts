import { createHmac, randomUUID } from 'node:crypto';
import { type Command, builtinPrincipals, readPreviewPass } from '@proviso/domain';
import { type Deployment, openDeployment, registered } from './deployment.contract.ts';

const policy = `policy: looked-at
environment: production
gates:
  - gate: staging
    attemptsMax: 2
  - gate: approval
    requirements:
      - from: role/approver
        count: 1
    expires: 1h
  - gate: canary
    weights: [50]
    look: 1s
    dwell: 1s
    deadline: 1h
    attemptsMax: 2
`;
let here: Deployment;
let promotion: `prm_${string}`;

beforeAll(async () => {
  here = await openDeployment();
  const { prototype, candidate } = await registered(here, 'looked-at');
  const published = await here.post('petra', '/v1/policies', { source: policy });
  const opening = { prototype, candidate, policy: published.body['id'] };
  const opened = await here.post('bea', '/v1/promotions', opening);
  if (opened.status !== 201) throw new Error(`expected a promotion, got ${opened.text} after ${published.text}`);
  promotion = opened.body['id'] as typeof promotion;
  const claim = await byWorker({ kind: 'Claim', promotion, step: 'staging', claimant: 'test' });
  if (claim.kind !== 'granted') throw new Error(`expected a grant, got ${claim.kind}`);
  const { attempt, fence } = claim;
  await byWorker({ kind: 'Weigh', promotion, environment: 'staging', fence, percent: 100 });
  const { digest } = await here.parts.store.put(Buffer.from('rehearsed'));
  const passed = { verdict: 'pass', reasons: [], evidence: [{ kind: 'report', digest }], measure: null } as const;
  await byWorker({ kind: 'Report', promotion, gate: 'staging', attempt, fence, ...passed });
});

afterAll(async () => {
  await here.close();
});

async function byWorker(command: Command) {
  const { id: actor } = builtinPrincipals.worker;
  const asked = { workspace: here.workspace, actor, command, idempotencyKey: randomUUID(), authn: 'service/worker' };
  const receipt = await here.parts.journal.submit(asked);
  if (receipt.kind === 'refused') throw new Error(`expected ${command.kind}, got ${receipt.refusal.code}`);
  return receipt.answer;
}

it('is told with the promotion, and its door gives each asker a link of their own', async () => {
  const { body } = await here.ask('sam', 'GET', `/v1/promotions/${promotion}`);
  const { preview } = body as { preview: string };
  expect(preview).toBe(`/v1/promotions/${promotion}/preview`);
  const { status, body: link } = await here.ask('sam', 'GET', preview);
  expect(status).toBe(200);
  const { url, host } = link as { url: string; host: string };
  const { origin, pathname, searchParams } = new URL(url);
  expect([origin, pathname]).toEqual([`http://${host}:7080`, '/-proviso/preview']);
  const token = searchParams.get('token') ?? '';
  const text = token.slice(0, token.lastIndexOf('~'));
  const signature = createHmac('sha256', Buffer.from('ab'.repeat(32), 'hex'))
    .update(text)
    .digest('hex');
  expect(token).toBe(`${text}~${signature}`);
  const pass = readPreviewPass(text);
  expect(pass).toMatchObject({ use: 'link', host, person: here.people.sam });
  expect((pass?.expiresAt ?? 0) - (pass?.issuedAt ?? 0)).toBe(300_000);
});

it('is not offered to who reads the promotion only as long as they vote in another’s stead', async () => {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  expect((await here.post('sam', `/v1/people/${here.people.nil}/delegations`, { until })).status).toBe(201);
  const { status, body } = await here.ask('nil', 'GET', `/v1/promotions/${promotion}`);
  expect([status, body['preview']]).toEqual([200, null]);
  expect((await here.ask('nil', 'GET', `/v1/promotions/${promotion}/preview`)).status).toBe(403);
});

it('gives no link to a version that is not in staging any more', async () => {
  await here.ask('bea', 'POST', `/v1/promotions/${promotion}/cancel`, { payload: { reason: 'test' } });
  const { body } = await here.ask('sam', 'GET', `/v1/promotions/${promotion}`);
  expect(body).toMatchObject({ preview: null });
  const { status, body: refused } = await here.ask('sam', 'GET', `/v1/promotions/${promotion}/preview`);
  expect([status, refused]).toMatchObject([409, { code: 'preview_unavailable' }]);
});
