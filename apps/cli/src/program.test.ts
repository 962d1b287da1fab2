import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Candidate, Gate, Promotion } from '@proviso/client';
import { draftContract } from './draft/contract-text.ts';
import { sightFolder } from './draft/sighting.ts';
import { type Answering, problem } from './fake-api.ts';
import { ranAgainst } from './ran-program.contract.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

const candidate: Candidate = {
  ...{
    id: 'cnd_1',
    version: 'v1',
    manifestDigest: digest('b'),
    artifactDigest: digest('a'),
    parts: {},
    evidence: [],
    sizeBytes: null,
    removed: false,
  },
  origin: { kind: 'upload', uploader: 'psn_1', authors: [], repository: null, commit: null },
};

const approval: Gate = {
  ...{ promotion: 'prm_1', revision: 1, since: '', decisions: [] },
  ...{ id: 'gate_1-approval', name: 'approval', status: 'waiting', attempt: 2, verdict: null, reasons: [] },
  ...{ measure: null, evidence: [], requirements: [{ from: 'group/security', count: 1, have: 0 }], expiresAt: null },
  ...{ missing: '1 more of group/security', reminded: 0, escalatedTo: null, deferred: null, waivers: [] },
  ...{ artifactDigest: digest('a'), evidenceDigest: digest('e') },
};

function promotionAt(state: Promotion['state'], more: Partial<Promotion> = {}): Promotion {
  return {
    ...{ id: 'prm_1', prototype: 'pro_1', candidate, unknownAuthors: 0 },
    ...{
      policy: { id: 'pol_1', digest: digest('d'), name: 'standard', version: 1 },
      state,
      headline: `It is ${state}.`,
      at: null,
      blockers: [],
    },
    ...{
      gates: [approval],
      canary: { weight: 0, unitsSeen: null, leaseRemainingMs: null, pace: 'usual', outlook: null },
      lane: null,
      openedAt: '',
      endedAt: null,
    },
    ...{
      preview: null,
      outcome: null,
      stoppedAt: null,
      watch: null,
      requester: { id: 'psn_1', name: null },
      actions: [],
      breakGlass: null,
      revision: 1,
    },
    ...more,
  };
}

const prototype = { id: 'pro_1', name: 'my-app', trusted: true, lanes: { staging: 'lane_1', production: 'lane_2' } };

function answering(promotions: readonly Promotion[], special: Answering = () => problem(404, 'not_found')): Answering {
  return (call, count) => {
    const { method, path } = call;
    const page = (items: readonly unknown[]) => ({ status: 200, body: { items, next: null } });
    if (method === 'GET' && path.startsWith('/v1/policies'))
      return page([{ id: 'pol_1', name: 'standard', version: 1 }]);
    if (method === 'GET' && path.startsWith('/v1/prototypes')) return page([]);
    if (method === 'POST' && path === '/v1/prototypes') return { status: 201, body: prototype };
    if (method === 'POST' && path === '/v1/prototypes/pro_1/candidates') {
      return { status: 201, body: { candidate, created: true, files: 2 } };
    }
    if (method === 'POST' && path === '/v1/promotions') return { status: 201, body: { id: 'prm_1' } };
    const found = promotions[Math.min(count, promotions.length - 1)];
    if (method === 'GET' && path === '/v1/promotions/prm_1' && found) return { status: 200, body: found };
    return special(call, count);
  };
}

const word = { owner: 'Ada Lovelace', users: 100, dataClass: 'internal', confirmed: true } as const;

let folder = '';
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'proviso-cli-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'my-app', main: 'server.mjs' }));
  writeFileSync(join(folder, 'server.mjs'), '');
  writeFileSync(join(folder, 'proviso.yaml'), draftContract(await sightFolder(folder), word));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function run(words: readonly string[], answer: Answering, { signal } = new AbortController()) {
  return await ranAgainst(answer, words, { environment: { PROVISO_DATA: join(folder, 'data') }, signal });
}

test('promote packs the folder, registers the prototype, uploads and opens', async () => {
  const { code, calls, printed } = await run(
    ['promote', folder, '--version', 'v1', '--json'],
    answering([promotionAt('queued')]),
  );
  expect(code).toBe(0);
  const posts = calls.filter(({ method }) => method === 'POST');
  expect(posts.map(({ path, body }) => [path, body])).toEqual([
    ['/v1/prototypes', { name: 'my-app' }],
    ['/v1/prototypes/pro_1/candidates', { version: 'v1', archive: expect.any(Number) }],
    ['/v1/promotions', { prototype: 'pro_1', candidate: 'cnd_1', policy: 'pol_1' }],
  ]);
  expect(new Set(posts.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3);
  expect(calls.every(({ authorization }) => authorization === 'Bearer a-token')).toBe(true);
  expect(printed.map((line) => JSON.parse(line))).toMatchObject([{ id: 'prm_1', created: true }]);
});

test.each([
  { last: promotionAt('live', { outcome: 'live' }), exit: 0 },
  { last: promotionAt('blocked', { stoppedAt: 'scan' }), exit: 1 },
  { last: promotionAt('rejected', { outcome: 'rejected' }), exit: 3 },
  { last: promotionAt('rolled_back', { outcome: 'rolled_back' }), exit: 7 },
])('promote --wait follows until it is $last.state and ends with $exit', async ({ last, exit }) => {
  const answer = answering([promotionAt('queued'), promotionAt('running'), last]);
  const { code, printed, said } = await run(['promote', folder, '--wait'], answer);
  expect(code).toBe(exit);
  expect(said).toContain('It is running.');
  expect(printed).toEqual([last.headline]);
});

test('a folder without a contract is told what to do, and nothing is sent', async () => {
  rmSync(join(folder, 'proviso.yaml'));
  const { code, said, calls } = await run(['promote', folder], answering([]));
  expect([code, calls]).toEqual([1, []]);
  expect(said.join('\n')).toMatch(/expected a proviso.yaml in .*, got none[\s\S]*proviso init/);
});

test('an unknown policy is told with those that exist, and nothing is uploaded', async () => {
  const { code, said, calls } = await run(['promote', folder, '--policy', 'none'], answering([]));
  expect(code).toBe(1);
  expect(said.join('\n')).toContain('Published: standard');
  expect(calls.every(({ method }) => method === 'GET')).toBe(true);
});

test('a server that comes back is asked again with the same key, so nothing is recorded twice', async () => {
  const normal = answering([promotionAt('queued')]);
  const answer: Answering = (call, count) =>
    call.method === 'POST' && call.path === '/v1/promotions' && count === 0
      ? problem(503, 'unavailable')
      : normal(call, count);
  const { code, calls } = await run(['promote', folder], answer);
  const keys = calls
    .filter(({ path, method }) => path === '/v1/promotions' && method === 'POST')
    .map((call) => call.idempotencyKey);
  expect(code).toBe(0);
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
});

test('approve shows the evidence and sends the digests that were shown', async () => {
  const answer = answering([promotionAt('waiting_for_human')], () => ({
    status: 201,
    body: { receipt: 'recorded', passed: true },
  }));
  const { code, calls, printed } = await run(['approve', 'prm_1', '--reason', 'looked'], answer);
  expect(code).toBe(0);
  expect(calls.at(-1)).toMatchObject({
    path: '/v1/gates/gate_1-approval/decisions',
    body: {
      verdict: 'approve',
      attempt: 2,
      artifactDigest: digest('a'),
      evidenceDigest: digest('e'),
      reason: 'looked',
    },
  });
  expect(printed.join('\n')).toMatch(/eeeeeeeeeeee[\s\S]*group security: 0 of 1 so far[\s\S]*the gate has passed/);
});

test.each([
  { status: 403, refused: 'own_work', exit: 5 },
  { status: 412, refused: 'stale_evidence', exit: 6 },
  { status: 401, refused: 'unauthenticated', exit: 4 },
])('an approval refused as $refused ends with $exit and says who can', async ({ status, refused, exit }) => {
  const answer = answering([promotionAt('waiting_for_human')], () =>
    problem(status, refused, { whoCan: ['group/security'] }),
  );
  const { code, said } = await run(['approve', 'prm_1'], answer);
  expect(code).toBe(exit);
  expect(said.join('\n')).toContain('Who can: group security.');
});

test('a gate that wants a fresh sign-in is decided at its page: the way there is printed', async () => {
  const answer = answering([promotionAt('waiting_for_human')], () => problem(403, 'step_up_required'));
  const { code, said } = await run(['approve', 'prm_1'], answer);
  expect(code).toBe(5);
  expect(said.join('\n')).toMatch(/Decide at http:\/\/127\.0\.0\.1:\d+\/decide\/gate/);
});

test('an id that nobody knows is named, with the way to the right one', async () => {
  const { code, said } = await run(['status', 'prm_9'], answering([]));
  expect(code).toBe(1);
  expect(said.join('\n')).toMatch(/expected the id of a promotion[\s\S]*got prm_9[\s\S]*proviso status/);
});

test('promoting a folder that is not there says so', async () => {
  const { code, said } = await run(['promote', join(folder, 'nowhere')], answering([]));
  expect([code, said.at(-1)]).toEqual([1, `proviso: expected a folder at ${join(folder, 'nowhere')}, got nothing`]);
});

test('status says what can be done now, and by whom when not by the one who asks', async () => {
  const actions: Promotion['actions'] = [
    { rel: 'approve', allowed: false, code: 'own_work', reason: 'this is your own work', whoCan: ['group/security'] },
    { rel: 'cancel', allowed: true, code: null, reason: null, whoCan: ['role/builder', 'role/worker'] },
  ];
  const { printed } = await run(['status', 'prm_1'], answering([promotionAt('waiting_for_human', { actions })]));
  expect(printed.join('\n')).toMatch(/approve +not you: this is your own work; group security can\ncancel +you can/);
});

test('status of a rejected promotion tells what people said', async () => {
  const by = { id: 'psn_2', name: 'Sam Security' };
  const entry = { id: '1', position: 1, stream: 'promotion', streamId: 'prm_1', sequence: 1, at: '', hash: '' };
  const items = [{ ...entry, kind: 'decision_recorded', by, reason: 'too salty', body: {} }];
  const answer = answering([promotionAt('rejected', { outcome: 'rejected' })], () => ({
    status: 200,
    body: { items, next: null },
  }));
  const { code, printed } = await run(['status', 'prm_1'], answer);
  expect(code).toBe(3);
  expect(printed.join('\n')).toMatch(/People said:\n {2}- Sam Security: too salty/);
});

test('history names the gate and the verdict of each entry', async () => {
  const entry = { id: '1', position: 1, stream: 'promotion', streamId: 'prm_1', sequence: 1, at: '', hash: '' };
  const body = { gate: 'scan', attempt: 2, verdict: 'fail' };
  const items = [{ ...entry, kind: 'gate_reported', by: null, reason: null, body }];
  const { printed } = await run(
    ['history', 'prm_1'],
    answering([], () => ({ status: 200, body: { items, next: null } })),
  );
  expect(printed.join('\n')).toMatch(/gate_reported +scan try 2 fail/);
});

test('history says what the watch looked at, found and did', async () => {
  const entry = { id: '1', position: 1, stream: 'promotion', streamId: 'prm_1', sequence: 1, at: '', hash: '' };
  const reasons = [{ code: 'watch_breached', message: 'a day costs 31, and the cap is 20' }];
  const body = { check: 'cost', round: 4, standing: 'breached', action: 'demote', reasons };
  const items = [{ ...entry, kind: 'watch_reported', by: null, reason: null, body }];
  const { printed } = await run(
    ['history', 'prm_1'],
    answering([], () => ({ status: 200, body: { items, next: null } })),
  );
  expect(printed.join('\n')).toMatch(/watch of cost: breached demote: a day costs 31, and the cap is 20/);
});

test('status says when what is live was looked at, and what is not well', async () => {
  const check = { at: null, figure: null, evidence: [], breachedSince: null, done: null };
  const reasons = [{ code: 'watch_breached', message: 'a day costs 31, and the cap is 20' }];
  const checks: NonNullable<Promotion['watch']>['checks'] = [
    { ...check, check: 'owner', do: 'hold', standing: 'well', reasons: [] },
    { ...check, check: 'cost', do: 'hold', standing: 'breached', reasons },
    {
      ...check,
      check: 'errorBudget',
      do: 'note',
      standing: 'unseen',
      reasons: [{ code: 'nobody_came', message: 'nobody came' }],
    },
  ];
  const watch = { every: '6h', last: '2026-11-20T12:00:00.000Z', next: '2026-11-20T18:00:00.000Z', checks };
  const { code, printed } = await run(
    ['status', 'prm_1'],
    answering([promotionAt('live', { outcome: 'live', watch })]),
  );
  expect(code).toBe(0);
  expect(printed.join('\n')).toMatch(/watched +every 6h, last 2026-11-20T12:00:00.000Z, next by 2026-11-20T18/);
  expect(printed.join('\n')).toMatch(/ cost +a day costs 31, and the cap is 20 \(hold\)/);
  expect(printed.join('\n')).toMatch(/ errorBudget +could not be told: nobody came/);
  expect(printed.join('\n')).not.toMatch(/ owner /);
});

test('approving what waits for nobody sends no decision', async () => {
  const answer = answering([promotionAt('running', { gates: [{ ...approval, status: 'pending' }] })]);
  const { code, calls } = await run(['approve', 'prm_1'], answer);
  expect(code).toBe(8);
  expect(calls.every(({ method }) => method === 'GET')).toBe(true);
});

test('wait ends with 0 at a passed gate, with 124 when the time is over', async () => {
  const passed = promotionAt('running', { gates: [{ ...approval, name: 'staging', status: 'passed' }] });
  expect((await run(['wait', 'prm_1', '--until', 'staging'], answering([passed]))).code).toBe(0);
  expect((await run(['wait', 'prm_1', '--timeout', '0.001'], answering([promotionAt('running')]))).code).toBe(124);
});

test('watch looks past a server error and ends with the state it ends in', async () => {
  const normal = answering([promotionAt('running'), promotionAt('rolled_back', { outcome: 'rolled_back' })]);
  let asked = 0;
  const answer: Answering = (call) => {
    asked += 1;
    return asked === 1 ? problem(500, 'internal') : normal(call, asked - 2);
  };
  expect((await run(['watch', 'prm_1'], answer)).code).toBe(7);
});

test('an interrupted watch ends with 130', async () => {
  const asked = new AbortController();
  const answer: Answering = (call, count) => {
    asked.abort();
    return answering([promotionAt('running')])(call, count);
  };
  expect((await run(['watch', 'prm_1'], answer, asked)).code).toBe(130);
});

test.each([
  { words: ['statsu'], exit: 1 },
  { words: ['status', '--nonsense'], exit: 1 },
  { words: ['rollback', 'prm_1'], exit: 1 },
  { words: ['up', '--port', 'many'], exit: 1 },
  { words: ['--version'], exit: 0 },
])('the words $words end with $exit', async ({ words, exit }) => {
  expect((await run(words, answering([]))).code).toBe(exit);
});
