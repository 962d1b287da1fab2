import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { builtinPrincipals } from '@proviso/domain';
import { openJournal } from '@proviso/journal';
import { type DecisionChannel, type FakeGitHubApp, decisionChannels, startFakeGitHubApp } from '@proviso/testkit';
import pg from 'pg';
import { openBrowser, signedIn } from './browser.contract.ts';
import {
  type Deployment,
  atApproval,
  forgiveAll,
  frozenVersion,
  grantToken,
  passByWorker,
  pick,
  pickText,
} from './deployment.contract.ts';
import { refusalsPerMinuteMax } from './refusal-limit.ts';
import { routeKey } from './route.ts';
import { routes } from './routes.ts';
import { type SlackGround, openSlackGround } from './slack/slack.contract.ts';

// "Must be true under attack", sentence by sentence, over every channel by which people decide. What stands elsewhere: every
// route with every role, place and spelling of a path in `spelling.test.ts`; two hundred votes at once, and what becomes of them
// without the row's lock, in `e2e/races`; votes against expiry, cancel and each other in `one-truth.test.ts`; bodies
// that name an approver, a status or a workspace in `unasked-fields.test.ts`.

let ground: SlackGround;
let github: FakeGitHubApp;
let here: Deployment;
let url: string;

beforeAll(async () => {
  github = await startFakeGitHubApp();
  ground = await openSlackGround({ github });
  ({ here, url } = ground);
});

afterAll(async () => {
  await ground.close();
  await github.close();
});

beforeEach(() => forgiveAll(here));

type Scene = Awaited<ReturnType<typeof atApproval>>;

async function approve(channel: DecisionChannel, token: string, { promotion }: Pick<Scene, 'promotion'>) {
  return await channel.approve({ apiUrl: url, token, promotion });
}

async function approvalOf({ gate }: Pick<Scene, 'gate'>) {
  return (await here.ask('aud', 'GET', `/v1/gates/${gate}`)).body;
}

async function refusalsAbout(promotion: string): Promise<readonly string[]> {
  const reads = here.parts.journal.reads(here.workspace);
  const log = await reads.history({ stream: 'log', id: 'refusals', limit: 10_000 });
  return log.map(({ bytes }) => bytes).filter((bytes) => bytes.includes(promotion));
}

const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a stranger may hold: each of the right form for somebody, none of them good here. */
async function badTokens(): Promise<Readonly<Record<string, string>>> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: url, sub: here.people.sam, aud: 'proviso', iat: now, exp: now + 600 };
  const signed = (alg: string, payload: object): string => {
    const text = `${base64url({ alg, typ: 'JWT' })}.${base64url(payload)}`;
    if (alg === 'none') return `${text}.`;
    const by = alg === 'HS256' ? createHmac('sha256', 'proviso').update(text).digest() : null;
    return `${text}.${(by ?? sign('sha256', Buffer.from(text), privateKey)).toString('base64url')}`;
  };
  return {
    forged: `prv_${'A'.repeat(43)}`,
    expired: await grantToken(here, here.people.sam, Date.now() - 1),
    'alg none': signed('none', claims),
    'of another audience': signed('RS256', { ...claims, aud: 'https://elsewhere.example' }),
    'expired and signed': signed('RS256', { ...claims, exp: now - 600 }),
    'signed with a guessed secret': signed('HS256', claims),
    'of a person': here.people.sam,
    'cut short': here.tokens.sam.slice(0, -1),
  };
}

describe('a forged, expired, alg-none or wrong-audience token', () => {
  it.each(decisionChannels)('decides nothing over $name', async (channel) => {
    const scene = await atApproval(here, `bad-tokens-${channel.name.toLowerCase()}`);
    for (const [kind, token] of Object.entries(await badTokens())) {
      const told = await approve(channel, token, scene);
      expect({ kind, ...told }).toMatchObject({ kind, recorded: false, status: channel.says.unauthenticated });
    }
    expect(await approvalOf(scene)).toMatchObject({ status: 'waiting', decisions: [] });
  });

  it('is 401 at every door that is not open to all, pages as well, before anything is looked at', async () => {
    const tokens = Object.entries(await badTokens());
    for (const { method, path } of routes.filter(({ access }) => access.kind !== 'public')) {
      const door = routeKey(method, path);
      for (const [kind, token] of tokens) {
        const { status, headers } = await here.ask(null, method, path, bearing(token));
        expect([door, kind, status, headers['www-authenticate'], headers['location']]).toEqual([
          ...[door, kind, 401, 'Bearer realm="proviso"', undefined],
        ]);
      }
    }
  });

  it('is 401 at every page in a browser that somebody is signed in in, and does nothing there', async () => {
    const browser = await signedIn(here, 'max');
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    // Not even a good one: a page takes no token, and who sends one is judged by it alone.
    const tokens = Object.entries({ ...(await badTokens()), good: here.tokens.max, empty: '' });
    for (const { method, path } of routes.filter(({ access }) => access.kind === 'page'))
      for (const [kind, token] of tokens) {
        const sent = { ...bearing(token).headers, cookie, 'sec-fetch-site': 'same-origin' };
        const { status, headers } = await here.ask(null, method, path, { headers: sent });
        expect([method, path, kind, status, headers['location'], headers['set-cookie']]).toEqual([
          ...[method, path, kind, 401, undefined, undefined],
        ]);
      }
    expect((await browser.get('/account')).status).toBe(200);
  });

  it('is no session where it comes as a cookie: a page shows the way to sign in, all else says 401', async () => {
    const browser = await signedIn(here, 'sam');
    const [[name, ended] = ['', '']] = [...browser.cookies];
    await browser.post('/logout');
    const cookies = Object.entries({ ...(await badTokens()), good: here.tokens.sam, 'of a session that ended': ended });
    const named = routes.filter(({ access }) => ['page', 'read', 'self'].includes(access.kind));
    for (const { method, path, access } of named)
      for (const [kind, value] of cookies) {
        const sent = { cookie: `${name}=${value}`, 'sec-fetch-site': 'same-origin' };
        const { status, headers } = await here.ask(null, method, path, { headers: sent });
        const toLogin = /^\/login\?to=/.test(String(headers['location']));
        const expected = access.kind === 'page' ? [method === 'GET' ? 302 : 303, true] : [401, false];
        expect([method, path, kind, status, toLogin]).toEqual([method, path, kind, ...expected]);
      }
  });

  it('signs nobody in', async () => {
    for (const [kind, token] of Object.entries(await badTokens())) {
      const { status, headers } = await openBrowser(here.fastify).post('/login', { token });
      expect([kind, status, headers['set-cookie']]).toEqual([kind, 401, undefined]);
    }
  });

  it('is 401 wherever else a good token is put, or when two come at once', async () => {
    const good = here.tokens.sam;
    const places = [
      { url: `/v1/me?access_token=${good}`, headers: {} },
      { url: '/v1/me', headers: { cookie: `token=${good}; proviso=${good}` } },
      { url: '/v1/me', headers: { 'x-api-key': good, 'proxy-authorization': `Bearer ${good}` } },
      { url: '/v1/me', headers: { authorization: `Bearer prv_${'A'.repeat(43)}, Bearer ${good}` } },
      { url: '/v1/me', headers: { authorization: `Bearer ${good}\tx` } },
    ];
    for (const { url: address, headers } of places)
      expect([headers, (await here.ask(null, 'GET', address, { headers })).status]).toEqual([headers, 401]);
  });
});

describe('the requester', () => {
  it.each(decisionChannels)('cannot approve over $name, and each try is one entry', async (channel) => {
    const scene = await atApproval(here, `own-work-${channel.name.toLowerCase()}`);
    for (const tries of [1, 2, 3]) {
      const told = await approve(channel, here.tokens.bea, scene);
      expect(told).toEqual({ recorded: false, passed: false, code: 'own_work', status: channel.says.notAllowed });
      const entries = await refusalsAbout(scene.promotion);
      expect(entries).toHaveLength(tries);
      expect(JSON.parse(entries.at(-1) ?? '')).toMatchObject({ actor: { pid: here.people.bea } });
    }
    expect(await approvalOf(scene)).toMatchObject({ status: 'waiting', decisions: [] });
  });
});

describe('a new candidate after one of two approvals', () => {
  it.each(decisionChannels)(
    'begins at none, and the old approval is shown as superseded, over $name',
    async (channel) => {
      const old = await atApproval(here, `newer-${channel.name.toLowerCase()}`);
      expect(await approve(channel, here.tokens.sam, old)).toMatchObject({ recorded: true, passed: false });
      expect(await approvalOf(old)).toMatchObject({ requirements: [{ count: 2, have: 1 }] });
      const next = await newerVersion(old);
      expect(await approvalOf(next)).toMatchObject({ status: 'waiting', decisions: [], requirements: [{ have: 0 }] });
      expect(await approve(channel, here.tokens.kim, old)).toMatchObject({ recorded: false });
      const shown = await here.ask('aud', 'GET', `/v1/promotions/${old.promotion}`);
      expect(shown.body).toMatchObject({ state: 'superseded', outcome: 'superseded' });
      expect(await approvalOf(old)).toMatchObject({
        ...{ status: 'stopped', requirements: [{ have: 0 }] },
        decisions: [{ person: { id: here.people.sam }, voided: 'superseded' }],
      });
      expect(await approve(channel, here.tokens.kim, next)).toMatchObject({ recorded: true, passed: false });
      expect(await approvalOf(next)).toMatchObject({ status: 'waiting', requirements: [{ have: 1 }] });
    },
  );
});

/** Another version of the same prototype, under the same policy, at its own approval. */
async function newerVersion({ prototype, policy }: Scene): Promise<Pick<Scene, 'promotion' | 'gate'>> {
  const candidate = await frozenVersion(here, { prototype, version: 'v2', words: `newer ${prototype}` });
  const opened = await here.post('bea', '/v1/promotions', { prototype, candidate, policy });
  const promotion = pickText(opened.body, 'id') as `prm_${string}`;
  await passByWorker(here, promotion, 'readiness');
  return { promotion, gate: `gate_${promotion.slice('prm_'.length)}-approval` };
}

describe('evidence that is replaced after the approval', () => {
  it.each(decisionChannels)('opens a new attempt in which no old vote counts, over $name', async (channel) => {
    const scene = await atApproval(here, `replaced-${channel.name.toLowerCase()}`);
    await approve(channel, here.tokens.sam, scene);
    expect(await approve(channel, here.tokens.kim, scene)).toMatchObject({ recorded: true, passed: true });
    await growOld(scene);
    expect(await claimed(scene)).toMatchObject({ kind: 'onward', onward: { kind: 'run', step: 'readiness' } });
    await passByWorker(here, scene.promotion, 'readiness');
    const shown = await approvalOf(scene);
    expect(shown).toMatchObject({
      ...{ status: 'waiting', attempt: 2, requirements: [{ have: 0 }] },
      decisions: [{ voided: 'reopened' }, { voided: 'reopened' }],
    });
    expect(shown['evidenceDigest']).not.toBe(scene.digests.evidenceDigest);
    const late = await here.post('sam', scene.decisions, { verdict: 'approve', ...scene.digests });
    expect([late.status, late.body['code']]).toEqual([412, 'stale_evidence']);
    const again = await here.post('sam', scene.decisions, { verdict: 'approve', attempt: 1, ...scene.digests });
    expect([again.status, again.body['code']]).toEqual([409, 'stale_attempt']);
    expect(await approve(channel, here.tokens.sam, scene)).toMatchObject({ recorded: true, passed: false });
    expect(await approvalOf(scene)).toMatchObject({ status: 'waiting', attempt: 2, requirements: [{ have: 1 }] });
  });
});

/** Two months pass for the evidence of a promotion: its policy calls it stale after one. */
async function growOld({ promotion }: Scene): Promise<void> {
  const client = new pg.Client({ connectionString: here.superuserUrl });
  await client.connect();
  try {
    const since = Date.now() - 60 * 86_400_000;
    await client.query(
      `update proviso.stream set state = jsonb_set(state::jsonb, '{gates,0,since}', to_jsonb($2::bigint))
        where kind = 'promotion' and id = $1`,
      [promotion, since],
    );
  } finally {
    await client.end();
  }
}

/** What a worker is told that asks for users; a process of its own, as workers are. */
async function claimed({ promotion }: Scene) {
  const worker = await openJournal({
    ...{ url: here.appUrl, connectionsMax: 1, origin: 'test', durable: false },
    vaultKeyHex: here.parts.config.vaultKeyHex,
  });
  try {
    const receipt = await worker.submit({
      ...{
        workspace: here.workspace,
        actor: builtinPrincipals.worker.id,
        authn: 'service/worker',
        idempotencyKey: promotion,
      },
      command: { kind: 'Claim', promotion, step: 'canary', claimant: 'test' },
    });
    return receipt.kind === 'accepted' ? receipt.answer : receipt;
  } finally {
    await worker.close();
  }
}

describe('five thousand refused decisions of a person with few rights', () => {
  it('end in 429, fill no journal, and the legal approvers decide meanwhile, each over another channel', async () => {
    const approvers = await Promise.all(
      decisionChannels.map(async (channel) => [channel, await newApprover()] as const),
    );
    const policy = await policyFor(approvers.length);
    const scene = await atApproval(here, 'stampede', { policy });
    const vote = JSON.stringify({ verdict: 'approve', ...scene.digests });
    const headers = { authorization: `Bearer ${here.tokens.olga}`, 'content-type': 'application/json' };
    const begunAt = Date.now();
    const stampede = Array.from({ length: 5_000 }, async () => {
      const answer = await fetch(url + scene.decisions, { method: 'POST', headers, body: vote }).catch(() => null);
      await answer?.arrayBuffer();
      return answer?.status;
    });
    const told = await Promise.all(approvers.map(([channel, token]) => approve(channel, token, scene)));
    expect(told.map(({ recorded }) => recorded)).toEqual(approvers.map(() => true));
    expect(told.filter(({ passed }) => passed)).toHaveLength(1);
    expect(await approvalOf(scene)).toMatchObject({ status: 'passed' });
    // A connection that the machine had no room for was never heard; what was heard was refused.
    const heard = (await Promise.all(stampede)).filter((status) => status !== undefined);
    expect(new Set(heard)).toEqual(new Set([403, 429]));
    expect(heard.length).toBeGreaterThan(1_000);
    // On a busy machine the flood lasts longer than the minute in which a person's tries are counted.
    const windows = 1 + Math.ceil((Date.now() - begunAt) / 60_000);
    expect((await refusalsAbout(scene.promotion)).length).toBeLessThanOrEqual(windows * refusalsPerMinuteMax);
  }, 180_000);
});

async function newApprover(): Promise<string> {
  const roles = [{ role: 'approver', group: 'security' }];
  const added = await here.post('ada', '/v1/people', { name: 'Somebody else', roles });
  return await grantToken(here, pickText(added.body, 'id'));
}

async function policyFor(count: number): Promise<string> {
  const source = `policy: many
gates:
  - gate: readiness
  - gate: approval
    requirements: [{ from: group/security, count: ${count} }]
  - gate: canary
    weights: [50]
`;
  return String(pick((await here.post('petra', '/v1/policies', { source })).body, 'id'));
}
