import { randomUUID } from 'node:crypto';
import { type FakeGitHub, startFakeGitHub } from '@proviso/testkit';
import {
  type Deployment,
  archiveOf,
  formOf,
  grantToken,
  openDeployment,
  pick,
  pickText,
  registered,
} from './deployment.contract.ts';
import { type FakeIssuer, openFakeIssuer } from './fake-issuer.contract.ts';
import { identityOf } from './identity.ts';

let here: Deployment;
let issuer: FakeIssuer;
let github: FakeGitHub;
let prototype: string;
let policy: string;
let service: string;

const [commit, other] = ['a'.repeat(40), 'b'.repeat(40)];
const [pushes, starts] = [21, 22];
const workflow = 'team/app/.github/workflows/ship.yml';

beforeAll(async () => {
  issuer = await openFakeIssuer();
  const author = { name: 'A', email: 'a@elsewhere.example' };
  const of = (sha: string) => ({ sha, message: 'change', author, files: { 'main.js': `// ${sha}` } });
  const activities = [
    { after: commit, activity_type: 'push' as const, actor: { login: 'pia-pushes', id: pushes } },
    { after: other, activity_type: 'pr_merge' as const, actor: { login: 'sam', id: starts } },
  ];
  github = await startFakeGitHub({
    'team/app': { commits: [of(commit), of(other)], activities },
    'team/fork': { commits: [of(commit)] },
  });
  here = await openDeployment({ workloadIssuers: [issuer.url], githubApi: github.baseUrl });
  ({ prototype, policy } = await registered(here, 'shipped'));
  service = await trusted({ promotes: true });
});

afterAll(async () => {
  await here.close();
  await issuer.close();
  await github.close();
});

async function trusted(over: object): Promise<string> {
  const rule = { name: 'CI', issuer: issuer.url, audience: 'proviso', repository: 'team/app', workflow };
  const body = { ...rule, ref: 'refs/heads/main', ...over };
  const answer = await here.post('olga', `/v1/prototypes/${prototype}/workloads`, body);
  const rules = pick(answer.body, 'workloads') as readonly { readonly service: string; readonly ref: string }[];
  return rules.find(({ ref }) => ref === body.ref)?.service ?? '';
}

/** The headers of a run on main that this account has started. */
async function run(over: object = {}) {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    ...{ iss: issuer.url, aud: 'proviso', jti: randomUUID(), iat: now, exp: now + 300, actor_id: String(starts) },
    ...{ repository: 'team/app', ref: 'refs/heads/main', sha: commit, workflow_ref: `${workflow}@refs/heads/main` },
    ...over,
  };
  const token = await issuer.sign(claims);
  const given = await here.post(null, '/v1/workload/token', { workspace: here.workspace, prototype, token });
  return { authorization: `Bearer ${pickText(given.body, 'token')}` };
}

type Headers = Awaited<ReturnType<typeof run>>;

async function freeze(headers: Headers, github: object = {}) {
  const payload = { version: 'r1', github: { owner: 'team', repository: 'app', commit, ...github } };
  return await here.ask(null, 'POST', `/v1/prototypes/${prototype}/candidates`, { headers, payload });
}

async function promote(headers: Headers, candidate: string) {
  const payload = { prototype, candidate, policy };
  return await here.ask(null, 'POST', '/v1/promotions', { headers, payload });
}

/** Somebody who could approve, and has shown that this account is theirs. */
async function linked(account: number): Promise<`psn_${string}`> {
  const added = await here.post('ada', '/v1/people', {
    name: `Account ${account}`,
    roles: [{ role: 'approver', group: 'security' }],
  });
  const person = pickText(added.body, 'id') as `psn_${string}`;
  const identity = identityOf({ issuer: 'github', subject: String(account) }, here.parts.config);
  const receipt = await here.parts.journal.submit({
    ...{ workspace: here.workspace, actor: person, idempotencyKey: randomUUID(), authn: 'session/page' },
    ...{ door: { channel: 'page', freshAt: Date.now() }, command: { kind: 'LinkIdentity', person, identity } },
  });
  expect(receipt.kind).toBe('accepted');
  return person;
}

describe('a run that is trusted to promote', () => {
  it('promotes its own commit, is told where it stands, and leaves whoever pushed or started it without a vote', async () => {
    const [pusher, starter] = [await linked(pushes), await linked(starts)];
    const headers = await run();
    const candidate = pickText((await freeze(headers)).body, 'candidate', 'id');
    const opened = await promote(headers, candidate);
    expect(opened.status).toBe(201);
    const id = pickText(opened.body, 'id') as `prm_${string}`;
    const told = await here.ask(null, 'GET', `/v1/me/promotions/${id}`, { headers });
    expect(told.body).toMatchObject({ id, prototype, version: 'r1', state: 'running', outcome: null });
    const view = await here.parts.journal.reads(here.workspace).promotion(id);
    expect(view?.state.exclusions).toEqual(
      expect.arrayContaining([
        { person: service, why: 'requester' },
        { person: here.people.olga, why: 'requester' },
        { person: starter, why: 'requester' },
        { person: pusher, why: 'pusher' },
      ]),
    );
    // Nobody else is told by that door, and the run is told nothing of what others have asked for.
    expect((await here.ask('bea', 'GET', `/v1/me/promotions/${id}`)).status).toBe(404);
    const first = await here.ask('bea', 'GET', `/v1/prototypes/${prototype}/candidates`);
    const another = pickText(first.body, 'items', 0, 'id');
    const mine = await here.post('bea', '/v1/promotions', { prototype, candidate: another, policy });
    const hers = pickText(mine.body, 'id');
    expect((await here.ask('bea', 'GET', `/v1/me/promotions/${hers}`)).status).toBe(200);
    expect((await here.ask(null, 'GET', `/v1/me/promotions/${hers}`, { headers })).status).toBe(404);
    expect((await here.ask(null, 'GET', `/v1/promotions/${id}`, { headers })).status).toBe(403);
    for (const verb of ['cancel', 'rollback', 'pause'])
      expect(
        (await here.ask(null, 'POST', `/v1/promotions/${id}/${verb}`, { headers, payload: { reason: 'x' } })).status,
      ).toBe(403);
  });

  it('promotes no other commit, nothing of another repository and nothing that it uploads', async () => {
    const headers = await run();
    const wrongs = [await freeze(headers, { commit: other }), await freeze(headers, { repository: 'fork' })];
    const form = formOf('r2', archiveOf('of a run'));
    wrongs.push(
      await here.ask(null, 'POST', `/v1/prototypes/${prototype}/candidates`, {
        ...form,
        headers: { ...form.headers, ...headers },
      }),
    );
    const uploaded = await here.ask(
      'bea',
      'POST',
      `/v1/prototypes/${prototype}/candidates`,
      formOf('v2', archiveOf('of bea')),
    );
    wrongs.push(await promote(headers, pickText(uploaded.body, 'candidate', 'id')));
    expect(wrongs.map(({ body }) => body['code'])).toEqual(Array.from({ length: 4 }, () => 'commit_mismatch'));
  });

  it('gets no vote for anybody who started another one, and excludes nobody whose account is not linked', async () => {
    const headers = await run({ sha: other, actor_id: '99' });
    const candidate = pickText((await freeze(headers, { commit: other })).body, 'candidate', 'id');
    const opened = await promote(headers, candidate);
    const view = await here.parts.journal
      .reads(here.workspace)
      .promotion(pickText(opened.body, 'id') as `prm_${string}`);
    const whys = view?.state.exclusions.map(({ person, why }) => [person, why]);
    // Bea wrote the policy; a merge on GitHub's pages is no push.
    expect(whys?.filter(([person]) => person !== here.people.olga && person !== service).map(([, why]) => why)).toEqual(
      ['policy_author'],
    );
  });
});

describe('a run that is trusted to bring evidence', () => {
  it('promotes nothing, neither with its own token nor with one that somebody lends it', async () => {
    const humble = await trusted({ ref: 'refs/heads/evidence' });
    const headers = await run({ ref: 'refs/heads/evidence' });
    expect((await freeze(headers)).body).toMatchObject({ status: 403, code: 'scope_missing' });
    const whole = { authorization: `Bearer ${await grantToken(here, humble)}` };
    expect((await freeze(whole)).body).toMatchObject({ status: 403, code: 'not_permitted', rule: 'workload/promotes' });
    const wide = { authorization: `Bearer ${await grantToken(here, service)}` };
    expect((await freeze(wide)).body).toMatchObject({ code: 'commit_mismatch' });
  });
});
