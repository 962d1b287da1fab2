import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { builtinPrincipals, type Fence } from '@proviso/domain';
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
    const { promotion } = await shared('shared');
    const lane = await ordered('shared');
    expect(lane.weightPercent).toBe(50);
    expect(lane.leaseRemainingMs).toBeGreaterThan(0);
    expect(lane.leaseRemainingMs).toBeLessThanOrEqual(30_000);
    const read = await here.ask('aud', 'GET', `/v1/promotions/${promotion}`);
    expect(read.body).toMatchObject({ state: 'canary', canary: { weight: 50 }, lane: { held: false } });
  });
});

interface Ordered {
  readonly lane: `lane_${string}`;
  readonly hosts: readonly string[];
  readonly fence: Fence;
  readonly weightPercent: number;
  readonly leaseRemainingMs: number | null;
}

/** What the edge is told of the production lane of a prototype, after it said this. */
async function ordered(name: string, lanes: readonly object[] = []): Promise<Ordered> {
  const orders = await here.post('edge', '/v1/edge/orders', { ...report, lanes });
  const lane = (orders.body['lanes'] as Ordered[]).find(({ hosts }) => hosts[0] === `${name}.localhost`);
  if (lane === undefined) throw new Error(`expected a lane of ${name}, got status ${orders.status}`);
  return lane;
}

/** A canary with a share of 50 and a lease; `look` is one more look of its judge. */
async function shared(name: string) {
  const { promotion } = await staged(name, { 'proviso.yaml': contract, 'main.js': name });
  const { journal } = here.parts;
  const say = async (command: Parameters<typeof journal.submit>[0]['command']) =>
    journal.submit({
      workspace: here.workspace,
      actor: builtinPrincipals.worker.id,
      command,
      idempotencyKey: randomUUID(),
      authn: 'service/worker',
    });
  const claim = await say({ kind: 'Claim', promotion, step: 'canary', claimant: 'test' });
  const fence = Number(pick(claim, 'answer', 'fence'));
  const look = (laneFence: number, verdict: { kind: 'hold' } | { kind: 'advance'; percent: number }) =>
    say({ kind: 'Look', promotion, fence, laneFence, fresh: true, verdict });
  await look(Number(pick(claim, 'answer', 'laneFence')), { kind: 'advance', percent: 50 });
  return { promotion, look };
}

describe('an edge that has seen a newer fence than the journal holds', () => {
  /** What an edge says that was served another future of this lane. */
  const served = ({ lane, fence }: Ordered, ahead: Fence) => [
    {
      ...{ lane, weightServedPercent: 0, parked: true, releases: [] },
      fence: { incarnation: fence.incarnation + ahead.incarnation, counter: fence.counter + ahead.counter },
    },
  ];
  const told = async (lane: Ordered['lane'], kind: string) =>
    (await here.parts.journal.reads(here.workspace).history({ stream: 'lane', id: lane, limit: 100 })).filter(
      (entry) => entry.kind === kind,
    );

  it('is told at once what was restored, above what it saw, and with no share until a judge has looked', async () => {
    const { look } = await shared('restored');
    const before = await ordered('restored');
    const after = await ordered('restored', served(before, { incarnation: 0, counter: 7 }));
    expect(after).toMatchObject({ weightPercent: 50, leaseRemainingMs: 0 });
    expect(after.fence).toEqual({ incarnation: 2, counter: before.fence.counter + 8 });
    expect(await look(before.fence.counter, { kind: 'hold' })).toMatchObject({ refusal: { code: 'stale_fence' } });
    expect((await ordered('restored')).leaseRemainingMs).toBe(0);
    expect(await look(after.fence.counter, { kind: 'hold' })).toMatchObject({ answer: { weight: 50, going: true } });
    expect((await ordered('restored')).leaseRemainingMs).toBeGreaterThan(0);
  });

  it('raises a lane once, by the keeper, with the edge named in the entry, however often it says so', async () => {
    await shared('raised');
    const before = await ordered('raised');
    const seen = served(before, { incarnation: 1, counter: 1 });
    const answers = await Promise.all(Array.from({ length: 8 }, () => ordered('raised', seen)));
    answers.push(await ordered('raised', seen));
    expect(answers.at(-1)?.fence).toEqual({ incarnation: 3, counter: before.fence.counter + 2 });
    const entries = await told(before.lane, 'incarnation_raised');
    expect(entries.map(({ bytes }) => JSON.parse(bytes))).toMatchObject([
      { actor: { pid: builtinPrincipals.keeper.id }, body: { edge: here.people.edge } },
    ]);
  });

  it.each([
    ['too many incarnations', { incarnation: 1_001, counter: 0 }],
    ['too many changes', { incarnation: 0, counter: 1_000_001 }],
  ])('is not believed when it is %s ahead', async (what, ahead) => {
    const name = what.replaceAll(' ', '-');
    await shared(name);
    const before = await ordered(name);
    const after = await ordered(name, served(before, ahead));
    expect([after.fence, after.weightPercent]).toEqual([before.fence, 50]);
    expect(after.leaseRemainingMs).toBeGreaterThan(0);
  });

  it('moves a lane once in a while only, so that one that lies fills no journal', async () => {
    await shared('lied');
    let lane = await ordered('lied');
    for (let lie = 1; lie <= 20; lie += 1)
      lane = await ordered('lied', served(lane, { incarnation: 1_000, counter: 0 }));
    expect(lane.fence.incarnation).toBe(1_002);
    expect(await told(lane.lane, 'incarnation_raised')).toHaveLength(1);
  });

  it('moves no lane of which its workspace does not know', async () => {
    const lane = `lane_${'f'.repeat(32)}` as const;
    const foreign = {
      lane,
      weightServedPercent: 0,
      parked: false,
      releases: [],
      fence: { incarnation: 9, counter: 9 },
    };
    expect((await here.post('edge', '/v1/edge/orders', { ...report, lanes: [foreign] })).status).toBe(200);
    expect(await told(lane, 'incarnation_raised')).toEqual([]);
  });
});

describe('an edge, about people', () => {
  it('is told of whoever has lost the last role by which they could look', async () => {
    const roles = [{ role: 'approver', group: 'security' }, { role: 'auditor' }];
    const id = pickText((await here.post('ada', '/v1/people', { name: 'Moves on', roles })).body, 'id');
    const shutOut = async () => (await here.post('edge', '/v1/edge/orders', report)).body['shutOut'];
    const lose = (role: object) => here.post('ada', `/v1/people/${id}/roles/revoke`, role);
    expect((await lose({ role: 'auditor' })).status).toBe(200);
    expect(await shutOut()).not.toContain(id);
    await here.post('sam', `/v1/people/${id}/delegations`, { until: new Date(Date.now() + 86_400_000).toISOString() });
    expect((await lose({ role: 'approver', group: 'security' })).status).toBe(200);
    expect(await shutOut()).toContain(id);
    await here.post('ada', `/v1/people/${id}/roles`, { role: 'builder' });
    expect(await shutOut()).not.toContain(id);
  });

  it('is told at once whom previews let in no longer, of its own workspace', async () => {
    const added = await here.post('ada', '/v1/people', { name: 'Gone', roles: [{ role: 'auditor' }] });
    const id = pickText(added.body, 'id');
    expect((await here.post('edge', '/v1/edge/orders', report)).body['shutOut']).not.toContain(id);
    await here.post('ada', `/v1/people/${id}/disable`, {});
    expect((await here.post('edge', '/v1/edge/orders', report)).body['shutOut']).toContain(id);
    const stranger = await here.post('eve', '/v1/people', { name: 'Elsewhere' });
    await here.post('eve', `/v1/people/${pickText(stranger.body, 'id')}/disable`, {});
    expect((await here.post('edge', '/v1/edge/orders', report)).body['shutOut']).not.toContain(
      pickText(stranger.body, 'id'),
    );
  });
});
