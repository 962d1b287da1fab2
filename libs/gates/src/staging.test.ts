import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readContract } from '@proviso/domain';
import type { GateOutcome } from './outcome.ts';
import { type ObservedRelease, compareRehearsal, smokeRelease } from './staging.ts';

const server = createServer((request, response) => {
  response.statusCode = request.url === '/broken' ? 500 : 200;
  response.end(request.method === 'POST' ? 'posted' : `page ${request.url}`);
});
let baseUrl = '';

beforeAll(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

async function smoke(probes: readonly object[], nonce = 'n0nce'): Promise<GateOutcome> {
  const contract = readContract({
    prototype: 'tiny',
    owner: 'Mara Lindqvist',
    requirements: { users: 5, dataClass: 'public' },
    run: { kind: 'node', start: ['app.mjs'] },
    probes: { health: '/healthz', smoke: probes },
    evaluation: { cases: 'cases.yaml' },
    objective: { errorRateMax: 0.01 },
  });
  if (!contract.ok) throw new Error('expected a contract');
  const evidence = { put: async () => ({ digest: 'sha256:1' as const }) };
  const input = { contract: contract.value, baseUrl, nonce };
  return await smokeRelease(input, { evidence, fetch, signal: new AbortController().signal });
}

const page = { path: '/start', expect: { contains: 'page /start' } };
const form = { path: '/form', method: 'POST', body: '{}', expect: { contains: 'posted' } };

test('passes when every declared probe is answered right', async () => {
  const outcome = await smoke([page, form]);
  expect(outcome).toMatchObject({
    verdict: 'pass',
    reasons: [{ code: 'probes_passed' }],
    evidence: [{ kind: 'smoke_report' }],
  });
});

test('fails on a probe and says which', async () => {
  const outcome = await smoke([page, { name: 'the broken page', path: '/broken', expect: {} }]);
  expect(outcome.verdict).toBe('fail');
  expect(outcome.reasons).toMatchObject([
    {
      code: 'probe_failed',
      message: 'in staging, the broken page: expected status 200, got status 500 with "page /broken"',
    },
  ]);
});

test('is inconclusive without probes, and when its must-fail control holds', async () => {
  expect(await smoke([])).toMatchObject({ verdict: 'inconclusive', reasons: [{ code: 'no_probes' }] });
  expect(await smoke([page], 'page')).toMatchObject({ verdict: 'inconclusive', reasons: [{ code: 'control_missed' }] });
});

test('a path that looks like a host stays on the release', async () => {
  const outcome = await smoke([{ path: '//example.com/x', expect: { contains: 'page //example.com/x' } }]);
  expect(outcome.verdict).toBe('pass');
});

const before: ObservedRelease = {
  releaseId: 'rel_a',
  treeDigest: 'sha256:a',
  served: [{ probe: 'GET /', status: 200, digest: 'sha256:p' }],
};
const rehearsed: ObservedRelease = { ...before, releaseId: 'rel_b', treeDigest: 'sha256:b' };

test.each([
  ['pass', 'the same release runs again', before, rehearsed, before],
  ['pass', 'a first release leaves the lane closed', 'closed', rehearsed, 'closed'],
  ['inconclusive', 'the new release never ran', before, before, before],
  ['inconclusive', 'nothing was seen running', 'closed', 'closed', 'closed'],
  ['fail', 'the new release still runs', before, rehearsed, rehearsed],
  ['fail', 'a first release still runs', 'closed', rehearsed, rehearsed],
  ['fail', 'the lane is closed instead', before, rehearsed, 'closed'],
  ['fail', 'the files differ', before, rehearsed, { ...before, treeDigest: 'sha256:c' }],
  [
    'fail',
    'an answer differs',
    before,
    rehearsed,
    { ...before, served: [{ probe: 'GET /', status: 200, digest: 'sha256:q' }] },
  ],
  ['fail', 'a status differs', before, rehearsed, { ...before, served: [{ probe: 'GET /', status: 404 }] }],
  ['fail', 'a probe was left out', before, rehearsed, { ...before, served: [] }],
] as const)('the rehearsal is a %s when %s', (verdict, _, first, between, after) => {
  expect(compareRehearsal({ before: first, rehearsed: between, after }).verdict).toBe(verdict);
});
