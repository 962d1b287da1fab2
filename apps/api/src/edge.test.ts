import { gzipSync } from 'node:zlib';
import { builtinPrincipals } from '@proviso/domain';
import { tarOf } from '@proviso/testkit';
import { type Deployment, formOf, openDeployment, passByWorker, pick, pickText } from './deployment.contract.ts';

const contract = `prototype: desk
owner: Bea
requirements:
  users: 10
  dataClass: internal
run:
  kind: node
  start: [main.js]
probes:
  health: /healthz
evaluation:
  cases: cases.yaml
objective:
  errorRateMax: 0.05
`;

const report = { edge: 'edge-1', boot: 'b1', lanes: [] };

const stagingPolicy = `policy: staged
gates:
  - gate: staging
  - gate: canary
    weights: [50]
`;

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

/** A candidate that was placed in the staging lane. */
async function staged(name: string, files: Readonly<Record<string, string>>) {
  const archive = gzipSync(tarOf(Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text) }))));
  const prototype = pickText((await here.post('bea', '/v1/prototypes', { name })).body, 'id');
  const frozen = await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, formOf('v1', archive));
  await here.post('olga', `/v1/prototypes/${prototype}/trust`, { trusted: true });
  const policy = await here.post('petra', '/v1/policies', { source: stagingPolicy });
  const candidate = pickText(frozen.body, 'candidate', 'id');
  const opened = await here.post('bea', '/v1/promotions', {
    prototype,
    candidate,
    policy: pickText(policy.body, 'id'),
  });
  const promotion = pickText(opened.body, 'id') as `prm_${string}`;
  await passByWorker(here, promotion, 'staging');
  return { artifact: pickText(frozen.body, 'candidate', 'artifactDigest'), promotion };
}

describe('an edge', () => {
  it('is told what to run, with the contract out of the artifact, and may fetch exactly that', async () => {
    const { artifact } = await staged('desk', { 'proviso.yaml': contract, 'main.js': 'serve()' });
    const orders = await here.post('edge', '/v1/edge/orders', report);
    expect(orders.status).toBe(200);
    const lanes = orders.body['lanes'] as {
      hosts: string[];
      stable: unknown;
      canary: unknown;
      leaseRemainingMs: null;
    }[];
    const lane = lanes.find(({ hosts }) => hosts[0] === 'desk.staging.localhost');
    const release = lane?.stable ?? lane?.canary;
    expect(release).toMatchObject({
      artifactDigest: artifact,
      trusted: true,
      contract: { start: ['node', 'main.js'], portEnvironment: 'PORT', health: { path: '/healthz' } },
    });
    expect(lane?.leaseRemainingMs).toBeNull();
    const manifest = await here.ask('edge', 'GET', `/v1/edge/blobs/${artifact}`);
    const sha256 = pickText(JSON.parse(manifest.text), 'files', 0, 'sha256');
    expect((await here.ask('edge', 'GET', `/v1/edge/blobs/sha256:${sha256}`)).text).toBe('serve()');
    const { digest } = await here.parts.store.put(Buffer.from('of somebody else'));
    expect((await here.ask('edge', 'GET', `/v1/edge/blobs/${digest}`)).status).toBe(404);
    expect((await here.ask('bea', 'GET', `/v1/edge/blobs/${artifact}`)).status).toBe(403);
    expect((await here.parts.journal.edgeReports(here.workspace)).map(({ edge }) => edge)).toEqual(['edge-1']);
  });

  it('may fetch a candidate that no lane has yet, since it is tried out before', async () => {
    const { body } = await here.post('bea', '/v1/prototypes', { name: 'untried' });
    const archive = gzipSync(tarOf([{ path: 'main.js', content: Buffer.from('try()') }]));
    const url = `/v1/prototypes/${pickText(body, 'id')}/candidates`;
    const frozen = await here.ask('bea', 'POST', url, formOf('v1', archive));
    const artifact = pickText(frozen.body, 'candidate', 'artifactDigest');
    expect((await here.ask('edge', 'GET', `/v1/edge/blobs/${artifact}`)).status).toBe(200);
  });

  it('is not told of a release whose contract cannot be read', async () => {
    await staged('broken', { 'proviso.yaml': 'prototype: [', 'main.js': '2' });
    const orders = await here.post('edge', '/v1/edge/orders', report);
    const lanes = orders.body['lanes'] as { hosts: string[] }[];
    const lane = lanes.find(({ hosts }) => hosts[0] === 'broken.staging.localhost');
    expect(lane).toMatchObject({ stable: null, canary: null });
  });

  it('is given a share between 0 and 100 only with the rest of a lease', async () => {
    const { promotion } = await staged('shared', { 'proviso.yaml': contract, 'main.js': '3' });
    const { journal } = here.parts;
    const say = async (command: Parameters<typeof journal.submit>[0]['command'], idempotencyKey: string) =>
      journal.submit({
        workspace: here.workspace,
        actor: builtinPrincipals.worker.id,
        command,
        idempotencyKey,
        authn: 'service/worker',
      });
    const claim = await say({ kind: 'Claim', promotion, step: 'canary', claimant: 'test' }, 'claim');
    const fence = Number(pick(claim, 'answer', 'fence'));
    const laneFence = Number(pick(claim, 'answer', 'laneFence'));
    const verdict = { kind: 'advance', percent: 50 } as const;
    await say({ kind: 'Look', promotion, fence, laneFence, fresh: true, verdict }, 'look');
    const orders = await here.post('edge', '/v1/edge/orders', report);
    const lanes = orders.body['lanes'] as { hosts: string[]; weightPercent: number; leaseRemainingMs: number | null }[];
    const lane = lanes.find(({ hosts }) => hosts[0] === 'shared.localhost');
    expect(lane?.weightPercent).toBe(50);
    expect(lane?.leaseRemainingMs).toBeGreaterThan(0);
    expect(lane?.leaseRemainingMs).toBeLessThanOrEqual(30_000);
    const read = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(read.body).toMatchObject({ state: 'canary', canary: { weight: 50 }, lane: { held: false } });
  });
});
