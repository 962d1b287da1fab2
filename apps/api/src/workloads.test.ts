import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JWTPayload, SignJWT, generateKeyPair } from 'jose';
import { type Deployment, grantToken, openDeployment, pick, pickText, registered } from './deployment.contract.ts';
import { type FakeIssuer, openFakeIssuer } from './fake-issuer.contract.ts';
import { openWorkloadKeys } from './workload-keys.ts';

let here: Deployment;
let issuer: FakeIssuer;
let gitRoot: string;
let commit: string;
/** A prototype whose candidate was made from the commit, and the service that its pipeline acts as. */
let prototype: string;
let candidate: string;
let policy: string;
let service: string;

const repository = 'team/app';
const audience = 'https://proviso.example';
const workflow = 'team/app/.github/workflows/ci.yml';

beforeAll(async () => {
  gitRoot = await mkdtemp(join(tmpdir(), 'proviso-workload-'));
  issuer = await openFakeIssuer();
  here = await openDeployment({ gitRoot, workloadIssuers: [issuer.url] });
  commit = await committed('one');
  const things = await registered(here, 'piped');
  ({ prototype, policy } = things);
  const frozen = await here.post('bea', `/v1/prototypes/${prototype}/candidates`, {
    version: 'g1',
    git: { path: '.', commit: 'main' },
  });
  candidate = pickText(frozen.body, 'candidate', 'id');
  const trusted = await here.post('olga', `/v1/prototypes/${prototype}/workloads`, rule());
  expect(trusted.status).toBe(201);
  service = pickText(trusted.body, 'workloads', 0, 'service');
});

afterAll(async () => {
  await here.close();
  await issuer.close();
  await rm(gitRoot, { recursive: true, force: true });
});

async function committed(words: string): Promise<string> {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { cwd: gitRoot })
      .toString()
      .trim();
  git('init', '-q', '-b', 'main');
  await writeFile(join(gitRoot, 'main.js'), `console.log(${JSON.stringify(words)})`);
  git('add', '.');
  git('commit', '-q', '-m', words);
  return git('rev-parse', 'HEAD');
}

function rule(over: object = {}) {
  return { name: 'CI of piped', issuer: issuer.url, audience, repository, ref: 'refs/heads/*', workflow, ...over };
}

/** What a run on the main branch says about itself. */
function claims(over: JWTPayload = {}): JWTPayload {
  const now = Math.floor(Date.now() / 1_000);
  return {
    ...{ iss: issuer.url, aud: audience, sub: `repo:${repository}:ref:refs/heads/main`, jti: randomUUID() },
    ...{ iat: now, nbf: now, exp: now + 300 },
    ...{ repository, ref: 'refs/heads/main', sha: commit, workflow_ref: `${workflow}@refs/heads/main` },
    ...over,
  };
}

async function give(token: string, over: object = {}) {
  return here.post(null, '/v1/workload/token', { workspace: here.workspace, prototype, token, ...over });
}

async function tokenOfRun(over: JWTPayload = {}): Promise<{ authorization: string }> {
  const answer = await give(await issuer.sign(claims(over)));
  expect(answer.status).toBe(201);
  return { authorization: `Bearer ${pickText(answer.body, 'token')}` };
}

function report(words: string, over: object = {}) {
  return { kind: 'test-report', commit, contentBase64: Buffer.from(words).toString('base64'), ...over };
}

async function bring(headers: { authorization: string }, payload: object, to = prototype) {
  return here.ask(null, 'POST', `/v1/prototypes/${to}/evidence`, { headers, payload });
}

describe('a pipeline whose operator is shut out', () => {
  it('gets no token, and brings nothing with one that it has', async () => {
    const added = await here.post('ada', '/v1/people', { name: 'Another operator', roles: [{ role: 'operator' }] });
    const operator = pickText(added.body, 'id');
    const headers = { authorization: `Bearer ${await grantToken(here, operator)}` };
    const trust = { method: 'POST', payload: rule({ ref: 'refs/tags/*' }) } as const;
    const trusted = await here.ask(null, 'POST', `/v1/prototypes/${prototype}/workloads`, { ...trust, headers });
    expect(trusted.status).toBe(201);
    const held = await tokenOfRun({ ref: 'refs/tags/v1' });
    await here.post('ada', `/v1/people/${operator}/disable`, {});
    const brought = await bring(held, report('late'));
    expect([brought.status, brought.body['code']]).toEqual([403, 'nobody_answers']);
    const refused = await give(await issuer.sign(claims({ ref: 'refs/tags/v1' })));
    expect([refused.status, refused.body['code']]).toEqual([401, 'unauthenticated']);
  });
});

describe('a run of a trusted pipeline', () => {
  it('brings evidence for its prototype and may do nothing else, for fifteen minutes', async () => {
    const answer = await give(await issuer.sign(claims()));
    const leftMs = Date.parse(pickText(answer.body, 'expiresAt')) - Date.now();
    expect(leftMs).toBeGreaterThan(14 * 60_000);
    expect(leftMs).toBeLessThanOrEqual(15 * 60_000);
    const headers = { authorization: `Bearer ${pickText(answer.body, 'token')}` };
    const brought = await bring(headers, report('all green'));
    expect(brought.body).toMatchObject({ candidate, receipt: 'recorded' });
    const digest = pickText(brought.body, 'digest');
    expect((await here.ask('aud', 'GET', `/v1/evidence/${digest}`)).text).toBe('all green');
    const shown = await here.ask('aud', 'GET', `/v1/prototypes/${prototype}/candidates`);
    expect(JSON.stringify(shown.body)).toContain(JSON.stringify([{ kind: 'test-report', digest, by: service }]));
    const elsewhere = await registered(here, 'not-piped');
    expect((await bring(headers, report('x'), elsewhere.prototype)).body).toMatchObject({ code: 'not_permitted' });
    for (const [method, url] of [
      ['GET', '/v1/people'],
      ['GET', `/v1/prototypes/${prototype}`],
      ['POST', '/v1/prototypes'],
      ['POST', '/v1/me/tokens'],
    ] as const) {
      const payload = url.endsWith('tokens') ? { scopes: ['evidence'] } : { name: 'mine' };
      const refused = await here.ask(null, method, url, { headers, ...(method === 'POST' && { payload }) });
      expect([url, refused.status]).toEqual([url, 403]);
    }
  });

  it('says which pipeline it was in every entry, and its operator has no vote where it brought something', async () => {
    await bring(await tokenOfRun(), report('lint'));
    const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
    const promotion = pickText(opened.body, 'id') as `prm_${string}`;
    const reads = here.parts.journal.reads(here.workspace);
    const before = await reads.promotion(promotion);
    expect(before?.state.exclusions).toContainEqual({ person: here.people.olga, why: 'uploader' });
    expect(before?.state.exclusions).toContainEqual({ person: service, why: 'uploader' });
    // A person may bring some as well, also once it is open.
    await here.post('ada', `/v1/people/${here.people.kim}/roles`, { role: 'builder' });
    const byHand = await here.post('kim', `/v1/prototypes/${prototype}/evidence`, report('seen by kim'));
    expect(byHand.status).toBe(201);
    const after = await reads.promotion(promotion);
    expect(after?.state.exclusions).toContainEqual({ person: here.people.kim, why: 'uploader' });
    const history = await here.ask('aud', 'GET', `/v1/promotions/${promotion}/history`);
    const entry = (history.body['items'] as { kind: string }[]).find(({ kind }) => kind === 'evidence_added');
    expect(entry).toMatchObject({ by: { id: here.people.kim, name: 'Name of kim' } });
    const [added] = (await reads.history({ stream: 'person', id: service, limit: 10 })).map(({ bytes }) => bytes);
    expect(added).not.toContain('CI of piped');
    const [name] = Object.values(await reads.names([service as `psn_${string}`]));
    expect(name).toBe('CI of piped');
  });

  it('speaks about its own commit only', async () => {
    const other = 'b'.repeat(40);
    for (const [over, payload] of [
      [{}, report('about another', { commit: other, candidate })],
      [{ sha: other }, report('about ours, from another')],
      [{ sha: other }, report('no candidate of it', { commit: other })],
    ] as const) {
      const answer = await bring(await tokenOfRun(over), payload);
      expect(['commit_mismatch', 'candidate_unknown']).toContain(answer.body['code']);
    }
    const uploaded = await registered(here, 'uploaded');
    const mine = await here.post('bea', `/v1/prototypes/${uploaded.prototype}/evidence`, {
      ...report('of no commit'),
      candidate: uploaded.candidate,
    });
    expect(mine.body).toMatchObject({ status: 409, code: 'commit_mismatch' });
  });

  it('takes the same document twice as one, and refuses what is no evidence', async () => {
    const headers = await tokenOfRun();
    await bring(headers, report('twice'));
    await bring(headers, report('twice'));
    const shown = await here.parts.journal.reads(here.workspace).prototype(prototype as `pro_${string}`);
    const kept = shown?.state.candidates.find(({ id }) => id === candidate)?.evidence ?? [];
    expect(new Set(kept.map(({ digest }) => digest)).size).toBe(kept.length);
    for (const wrong of [
      report('x', { kind: 'external/artifact' }),
      report('x', { kind: 'A' }),
      report('x', { commit: 'main' }),
      report('x', { contentBase64: 'not base64!' }),
      report('x', { uploader: here.people.sam }),
    ])
      expect((await bring(headers, wrong)).status).toBe(422);
  });
});

describe('a token of a CI system', () => {
  /** One answer for all of them; what was wrong is in the operator's log only. */
  async function expectDenied(what: string, token: string | Promise<string>, over: object = {}) {
    const answer = await give(await token, over);
    expect([what, answer.status, answer.body['code'], answer.body['detail']]).toEqual([
      ...[what, 401, 'unauthenticated'],
      'expected a fresh token of a run that this prototype trusts',
    ]);
  }

  it('is denied when it is forged, stale or for somebody else, always in the same words', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    await expectDenied('no signature', `${encoded({ alg: 'none', kid: 'first' })}.${encoded(claims())}.`);
    const secret = new TextEncoder().encode(JSON.stringify(issuer.publicKey));
    const mixed = new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret);
    await expectDenied('the public key as a shared secret', mixed);
    const { privateKey } = await generateKeyPair('RS256');
    await expectDenied('another key under the known name', issuer.sign(claims(), {}, privateKey));
    await expectDenied('an unknown key', issuer.sign(claims(), { kid: 'second' }));
    await expectDenied('a changed claim', tampered(await issuer.sign(claims()), { repository: 'evil/app' }));
    await expectDenied('another audience', issuer.sign(claims({ aud: 'https://elsewhere.example' })));
    await expectDenied('two audiences', issuer.sign(claims({ aud: [audience, 'https://elsewhere.example'] })));
    await expectDenied('another issuer', issuer.sign(claims({ iss: 'https://elsewhere.example' })));
    await expectDenied('another repository', issuer.sign(claims({ repository: 'team/app2' })));
    await expectDenied('a tag', issuer.sign(claims({ ref: 'refs/tags/v1' })));
    await expectDenied('a pull request', issuer.sign(claims({ ref: 'refs/pull/7/merge' })));
    await expectDenied('another pipeline', issuer.sign(claims({ workflow_ref: 'team/app/.github/workflows/x.yml@r' })));
    await expectDenied('one that has ended', issuer.sign(claims({ iat: now - 600, nbf: now - 600, exp: now - 300 })));
    await expectDenied('one of the future', issuer.sign(claims({ iat: now + 300, exp: now + 600 })));
    await expectDenied('one before its time', issuer.sign(claims({ nbf: now + 300 })));
    await expectDenied('one of yesterday', issuer.sign(claims({ iat: now - 90_000, nbf: now - 90_000 })));
    for (const claim of ['exp', 'iat', 'jti', 'aud', 'repository', 'ref', 'sha'])
      await expectDenied(`one without ${claim}`, issuer.sign(claims({ [claim]: undefined })));
    await expectDenied('no token at all', 'a'.repeat(40));
    const none = await registered(here, 'trusts-nobody');
    await expectDenied('a prototype without trust', issuer.sign(claims()), { prototype: none.prototype });
    await expectDenied('a prototype of nowhere', issuer.sign(claims()), { prototype: `pro_${'0'.repeat(32)}` });
    await expectDenied('a workspace of nowhere', issuer.sign(claims()), { workspace: `wsp_${'0'.repeat(32)}` });
  });

  it('is taken once, however many send it at the same time', async () => {
    const token = await issuer.sign(claims());
    const answers = await Promise.all(Array.from({ length: 10 }, () => give(token)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(9);
    await expectDenied('the same again', token);
  });

  it('asks its issuer once for many, and never for keys that it does not have again and again', async () => {
    const before = issuer.asked();
    for (let index = 0; index < 20; index += 1) await give(await issuer.sign(claims(), { kid: `key-${index}` }));
    expect(issuer.asked() - before).toBeLessThanOrEqual(1);
  });

  it('is worth nothing from the moment on in which its pipeline is distrusted', async () => {
    const other = await registered(here, 'distrusted');
    const path = `/v1/prototypes/${other.prototype}/workloads`;
    const trusted = await here.post('olga', path, rule({ name: 'CI' }));
    const its = pickText(trusted.body, 'workloads', 0, 'service');
    const got = await give(await issuer.sign(claims()), { prototype: other.prototype });
    const headers = { authorization: `Bearer ${pickText(got.body, 'token')}` };
    expect((await bring(headers, report('x', { candidate }), other.prototype)).status).toBe(404);
    expect((await here.post('bea', `${path}/distrust`, { service: its })).status).toBe(403);
    const ended = await here.post('olga', `${path}/distrust`, { service: its });
    expect(pick(ended.body, 'workloads')).toEqual([]);
    expect((await bring(headers, report('x'), other.prototype)).status).toBe(401);
    await expectDenied('after that', issuer.sign(claims()), { prototype: other.prototype });
    expect((await here.post('olga', path, rule({ name: 'CI' }))).status).toBe(201);
  });

  it('is not asked for at an issuer that the deployment does not list, nor trusted for what nobody could mean', async () => {
    const path = `/v1/prototypes/${prototype}/workloads`;
    for (const wrong of [
      { issuer: 'http://169.254.169.254' },
      { issuer: 'https://elsewhere.example' },
      { ref: '*' },
      { ref: 'refs/pull/*' },
      { ref: 'refs/heads/*/x' },
      { repository: '*' },
      { repository: 'team' },
    ])
      expect([wrong, (await here.post('olga', path, rule(wrong))).status]).toEqual([wrong, 422]);
    expect((await here.post('olga', path, rule())).body).toMatchObject({ status: 409, code: 'exists' });
    expect((await here.post('bea', path, rule({ ref: 'refs/tags/v*' }))).status).toBe(403);
  });
});

describe('an issuer that misbehaves', () => {
  const config = { status: 200, headers: {}, body: '' };
  const told = (over: object) => ({
    ...config,
    body: JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, ...over }),
  });

  it('is believed nothing: 503, no redirect, no other host, no flood', async () => {
    const answers: readonly ((path: string) => ReturnType<NonNullable<FakeIssuer['answer']>>)[] = [
      () => ({ status: 500, body: 'broken' }),
      () => ({ status: 302, headers: { location: `${issuer.url}/keys` }, body: '' }),
      () => ({ status: 200, body: '{' }),
      () => told({ issuer: 'https://elsewhere.example' }),
      () => told({ jwks_uri: 'http://169.254.169.254/latest' }),
      (path) => (path === '/keys' ? { status: 200, body: `{"keys":[${' '.repeat(100_000)}]}` } : null),
      (path) => (path === '/keys' ? { status: 302, headers: { location: '/other' }, body: '' } : null),
      (path) => (path === '/keys' ? { status: 200, body: '{"keys":"none"}' } : null),
    ];
    const token = await issuer.sign(claims());
    for (const [index, answer] of answers.entries()) {
      issuer.answer = answer;
      const parts = { ...here.parts, workloadKeys: openWorkloadKeys([issuer.url], Date.now) };
      const { exchange } = await import('./workload-exchange.ts');
      const asked = exchange(parts, { workspace: here.workspace, prototype: prototype as `pro_${string}`, token });
      await expect(asked.catch((error: { code: string }) => [index, error.code])).resolves.toEqual([
        index,
        'source_unavailable',
      ]);
    }
    issuer.answer = null;
  });

  it('is asked again after a while, and not before', async () => {
    let clock = Date.now();
    const keys = openWorkloadKeys([issuer.url], () => clock);
    let calls = 0;
    issuer.answer = () => {
      calls += 1;
      return { status: 500, body: '' };
    };
    for (let index = 0; index < 5; index += 1) await expect(keys.of(issuer.url)).rejects.toThrow('discovery');
    expect(calls).toBe(1);
    issuer.answer = null;
    clock += 31_000;
    await expect(keys.of(issuer.url)).resolves.toBeDefined();
  });
});

function tampered(token: string, over: object): string {
  const [header, payload = '', signature] = token.split('.');
  const told = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  return [header, Buffer.from(JSON.stringify({ ...told, ...over })).toString('base64url'), signature].join('.');
}
