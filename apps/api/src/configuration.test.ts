import { type Deployment, atApproval, openDeployment } from './deployment.contract.ts';

const value = `sk_live_${'7Gh2Kq9Zx4Vb'.repeat(2)}`;
let here: Deployment;
let lane: string;

beforeAll(async () => {
  here = await openDeployment();
  const { promotion } = await atApproval(here, 'configured');
  const read = await here.parts.journal.reads(here.workspace).promotion(promotion);
  lane = `/v1/lanes/${read?.state.lanes.production}`;
});

afterAll(async () => {
  await here.close();
});

const change = (path: string, payload: object) => here.ask('olga', 'POST', `${lane}/${path}`, { payload });

it('tells who set and bound what, where it lies and since when, and the fence stays', async () => {
  const before = (await here.ask('olga', 'GET', lane)).body as { fence: object; weight: number };
  await change('variables', { name: 'LOG_LEVEL', value: 'debug' });
  await change('secrets', { name: 'MAIL_KEY', reference: { from: 'file', path: 'desk/mail-key' } });
  const { status, body } = await change('secrets/rotate', { name: 'MAIL_KEY' });
  expect(status).toBe(200);
  const by = { id: here.people.olga, name: expect.any(String) };
  expect(body).toMatchObject({
    revision: 3,
    environment: 'production',
    variables: [{ name: 'LOG_LEVEL', value: 'debug', by }],
    secrets: [{ name: 'MAIL_KEY', reference: { from: 'file', path: 'desk/mail-key' }, by }],
  });
  // The same for everybody but for what they may do about it.
  const read = (await here.ask('aud', 'GET', `${lane}/configuration`)).body;
  expect(read).toEqual({ ...body, actions: expect.any(Array) });
  expect(read['actions']).toContainEqual(expect.objectContaining({ rel: 'set_variable', allowed: false }));
  expect((await here.ask('olga', 'GET', lane)).body).toMatchObject({ fence: before.fence, weight: before.weight });
});

it('tells edges the place of a secret and what the lane adds', async () => {
  const report = { edge: 'edge-1', boot: 'boot-1', lanes: [] };
  const { body } = await here.ask('edge', 'POST', '/v1/edge/orders', { payload: report });
  const { lanes } = body as { lanes: { lane: string; configuration: object }[] };
  expect(lanes.find((one) => lane.endsWith(one.lane))?.configuration).toMatchObject({
    variables: { LOG_LEVEL: 'debug' },
    secrets: { MAIL_KEY: { reference: { from: 'file', path: 'desk/mail-key' } } },
  });
});

it.each([
  ['the value as the reference', 'secrets', { name: 'MAIL_KEY', reference: value }],
  ['the value as a path', 'secrets', { name: 'MAIL_KEY', reference: { from: 'file', path: value } }],
  ['the value as a name', 'secrets', { name: 'MAIL_KEY', reference: { from: 'environment', name: value } }],
  ['the value as another kind', 'secrets', { name: 'MAIL_KEY', reference: { from: value } }],
  ['the value beside the name', 'secrets', { name: 'MAIL_KEY', value }],
  ['the value as a plain variable', 'variables', { name: 'MAIL', value }],
])('refuses %s, says what was expected, and repeats and records nothing of it', async (_what, path, payload) => {
  const { status, body } = await change(path, payload);
  expect(status).toBe(422);
  expect(JSON.stringify(body)).toMatch(/never the value itself|looks like a secret|no such field/);
  expect(JSON.stringify(body)).not.toContain(value);
});

it.each([
  ["a variable of Proviso's own", { from: 'environment', name: 'PROVISO_VAULT_KEY' }, 422],
  ['an absolute path', { from: 'file', path: '/etc/shadow' }, 422],
  ['a way up', { from: 'file', path: 'desk/../../shadow' }, 422],
  ['a hidden file', { from: 'file', path: '.env' }, 422],
  ['a vault, which is not there yet', { from: 'vault', path: 'desk/mail' }, 422],
])('refuses %s as a reference', async (_what, reference, status) => {
  expect((await change('secrets', { name: 'OTHER_KEY', reference })).status).toBe(status);
});

it('lets builders and approvers read and change nothing', async () => {
  const payload = { name: 'LOG_LEVEL', value: 'trace' };
  for (const who of ['bea', 'sam', 'aud'] as const) {
    expect((await here.ask(who, 'POST', `${lane}/variables`, { payload })).status).toBe(403);
    expect((await here.ask(who, 'GET', `${lane}/configuration`)).status).toBe(200);
  }
});
