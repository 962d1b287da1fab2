import { openCanaryStage, type CanaryStage } from './canary.contract.ts';
import {
  archiveOf,
  type Deployment,
  formOf,
  openDeployment,
  passByWorker,
  pick,
  pickText,
} from './deployment.contract.ts';

let here: Deployment;
let stage: CanaryStage;

beforeAll(async () => {
  here = await openDeployment();
  stage = openCanaryStage(here);
});

afterAll(async () => {
  await here.close();
});

const shown = async (promotion: string) => (await here.ask('olga', 'GET', `/v1/promotions/${promotion}`)).body;
const laneOf = async (promotion: string) => {
  const lane = pickText(await shown(promotion), 'lane', 'id');
  return (await here.ask('olga', 'GET', `/v1/lanes/${lane}`)).body;
};

/** Another version of the same prototype, agreed to, on its way behind the first. */
async function newerThan(promotion: string) {
  const body = await shown(promotion);
  const prototype = pickText(body, 'prototype');
  const form = formOf('v2', archiveOf(`console.log('newer than ${promotion}')`));
  const frozen = await here.ask('bea', 'POST', `/v1/prototypes/${prototype}/candidates`, form);
  const candidate = pickText(frozen.body, 'candidate', 'id');
  const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy: pick(body, 'policy', 'id') });
  const newer = pickText(opened.body, 'id') as `prm_${string}`;
  await passByWorker(here, newer, 'readiness');
  const gate = `gate_${newer.slice('prm_'.length)}-approval`;
  const { body: at } = await here.ask('sam', 'GET', `/v1/gates/${gate}`);
  const digests = { artifactDigest: at['artifactDigest'], evidenceDigest: at['evidenceDigest'] };
  for (const actor of ['sam', 'kim'] as const)
    expect((await here.post(actor, `/v1/gates/${gate}/decisions`, { verdict: 'approve', ...digests })).status).toBe(
      201,
    );
  return newer;
}

const claimOf = async (promotion: `prm_${string}`) =>
  await stage.say({ kind: 'Claim', promotion, step: 'canary', claimant: 'newer' });

it('a newer version queues behind one that users are on, and an operator pre-empts by taking that back first', async () => {
  const first = await stage.canaryOf('busy');
  const newer = await newerThan(first.promotion);
  expect(await claimOf(newer)).toMatchObject({ onward: { kind: 'wait', why: 'lane_busy' } });
  expect(await laneOf(newer)).toMatchObject({ owner: first.promotion, queue: [newer], weight: 10 });
  expect(pickText(await shown(newer), 'headline')).toMatch(/^Waiting since .* for another release of this prototype/);

  const reason = 'the newer one mends it';
  await here.post('olga', `/v1/promotions/${first.promotion}/rollback`, { reason });
  expect(await laneOf(newer)).toMatchObject({ weight: 0, hold: { reason: 'rolled_back' } });
  await stage.tidy(first.promotion);
  expect(await claimOf(newer)).toMatchObject({ onward: { kind: 'wait', why: 'lane_held' } });
  expect(pickText(await shown(newer), 'headline')).toMatch(/^Held since \d\d:\d\d after a rollback/);

  const lane = pickText(await shown(newer), 'lane', 'id');
  expect((await here.post('bea', `/v1/lanes/${lane}/resume`, { reason })).status).toBe(403);
  expect((await here.post('olga', `/v1/lanes/${lane}/resume`, { reason })).status).toBe(200);
  expect(await claimOf(newer)).toMatchObject({ kind: 'granted', step: 'canary' });
  expect(await laneOf(newer)).toMatchObject({ owner: newer, queue: [], hold: null });
});

it('a lane that a person holds takes nothing further: no share grows, no lease is renewed, and it goes on after', async () => {
  const canary = await stage.canaryOf('held');
  const lane = pickText(await shown(canary.promotion), 'lane', 'id');
  expect((await here.post('olga', `/v1/lanes/${lane}/hold`, { reason: 'an incident elsewhere' })).status).toBe(200);
  expect(await stage.look(canary, 50)).toMatchObject({ weight: 10, going: false });
  expect((await here.post('olga', `/v1/lanes/${lane}/resume`, { reason: 'it is over' })).status).toBe(200);
  expect(await stage.look(canary, 50)).toMatchObject({ weight: 50, going: true });
});
