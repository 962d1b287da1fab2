import { randomUUID } from 'node:crypto';
import { type Browser, openBrowser } from './browser.contract.ts';
import { type Deployment, openDeployment, pick } from './deployment.contract.ts';
import { type TestProvider, startProvider, unsigned, withClaims } from './provider.contract.ts';

const publicUrl = 'http://127.0.0.1:7070';
let provider: TestProvider;
let here: Deployment;

beforeAll(async () => {
  provider = await startProvider(publicUrl);
  here = await openDeployment({ publicUrl, oidc: { ...provider.oidc, administrators: ['root'] } });
});

afterAll(async () => {
  await here.close();
  await provider.close();
});

afterEach(() => {
  provider.tamper = null;
});

/** Begins to sign in; the address of the provider that the browser is sent to. */
async function begun(browser: Browser, query = ''): Promise<string> {
  return String((await browser.get(`/login${query}`)).headers['location']);
}

async function cameBack(browser: Browser, url: URL) {
  return await browser.get(`${url.pathname}${url.search}`);
}

async function signedInAs(subject: string, query = '') {
  const browser = openBrowser(here.fastify);
  const answer = await cameBack(browser, await provider.walk(await begun(browser, query), subject));
  return { browser, answer };
}

async function me({ cookies }: Browser) {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return await here.ask(null, 'GET', '/v1/me', { headers: { cookie } });
}

async function people(): Promise<readonly Record<string, unknown>[]> {
  return (await here.ask('aud', 'GET', '/v1/people?limit=100')).body['items'] as Record<string, unknown>[];
}

describe('a second account', () => {
  /** The way to the provider that somebody's own page shows, for the account that is to be linked. */
  async function linking(browser: Browser): Promise<string> {
    await browser.get('/account');
    const { status, text } = await browser.post('/account/provider', { key: randomUUID() });
    expect(status).toBe(200);
    return (/class="button go" href="([^"]+)"/.exec(text)?.[1] ?? '').replaceAll('&amp;', '&');
  }

  it('is linked by who is signed in with the first, and is the same person from then on', async () => {
    const { browser } = await signedInAs('dora', '?fresh=true');
    const id = pick((await me(browser)).body, 'person', 'id');
    const answer = await cameBack(browser, await provider.walk(await linking(browser), 'dora-at-home'));
    expect([answer.status, answer.headers['location']]).toEqual([303, '/account']);
    expect(pick((await me((await signedInAs('dora-at-home')).browser)).body, 'person', 'id')).toBe(id);
    expect(pick((await me(browser)).body, 'person', 'accounts')).toHaveLength(2);
  });

  it('of somebody else is not taken from them', async () => {
    await signedInAs('owner-of-it');
    const { browser } = await signedInAs('taker', '?fresh=true');
    const answer = await cameBack(browser, await provider.walk(await linking(browser), 'owner-of-it'));
    expect([answer.status, answer.text.includes('linked to another person')]).toEqual([409, true]);
    expect(pick((await me(browser)).body, 'person', 'accounts')).toHaveLength(1);
  });

  it('is not linked to who has signed in in between, nor to nobody', async () => {
    for (const then of ['another', null]) {
      const { browser } = await signedInAs('absent', '?fresh=true');
      const note = await linking(browser);
      const signingIn = browser.cookies.get('proviso_signing_in') ?? '';
      const other = then === null ? openBrowser(here.fastify) : (await signedInAs(then, '?fresh=true')).browser;
      other.cookies.set('proviso_signing_in', signingIn);
      const answer = await cameBack(other, await provider.walk(note, `planted-by-${then ?? 'nobody'}`));
      expect([then, answer.status]).toEqual([then, 400]);
    }
  });
});

describe('signing in with a provider', () => {
  it('makes a person without any role of whom nobody knew, who waits for one and reads nothing', async () => {
    const { browser, answer } = await signedInAs('nova');
    expect([answer.status, answer.headers['location']]).toEqual([303, '/']);
    expect((await me(browser)).body).toMatchObject({
      person: {
        name: 'Nova of the provider',
        kind: 'human',
        roles: [],
        waitsForRole: true,
        accounts: [provider.oidc.issuer],
      },
    });
    const page = await browser.get('/');
    expect([page.status, page.text.includes('You have no role here yet')]).toEqual([403, true]);
    expect((await people()).filter(({ waitsForRole }) => waitsForRole)).toContainEqual(
      expect.objectContaining({ name: 'Nova of the provider' }),
    );
  });

  it('knows them again by issuer and subject, whatever their address says, in as many browsers as they have', async () => {
    const first = pick((await me((await signedInAs('vera')).browser)).body, 'person', 'id');
    const [one, other] = await Promise.all([signedInAs('vera'), signedInAs('vera')]);
    expect(pick((await me(one.browser)).body, 'person', 'id')).toBe(first);
    expect(pick((await me(other.browser)).body, 'person', 'id')).toBe(first);
  });

  it('makes one person of two first sign-ins at once', async () => {
    const answers = await Promise.all([signedInAs('twin'), signedInAs('twin'), signedInAs('twin')]);
    const ids = await Promise.all(answers.map(async ({ browser }) => pick((await me(browser)).body, 'person', 'id')));
    expect(new Set(ids).size).toBe(1);
    expect((await people()).filter(({ name }) => name === 'Twin of the provider')).toHaveLength(1);
  });

  it('makes an administrator of whom the operator has named, and of nobody else', async () => {
    const { browser } = await signedInAs('root');
    expect((await me(browser)).body).toMatchObject({
      person: { roles: [{ role: 'administrator' }], waitsForRole: false },
    });
  });

  it('keeps neither subject nor address in the journal, nor anything that they could be guessed from', async () => {
    await signedInAs('secret-subject');
    const added = (await people()).find(({ name }) => name === 'Secret-subject of the provider');
    const entries = await here.parts.journal
      .reads(here.workspace)
      .history({ stream: 'person', id: String(added?.['id']), limit: 9 });
    expect(entries.map(({ kind }) => kind)).toEqual(['person_added', 'identity_linked']);
    expect(JSON.stringify(entries)).not.toMatch(/secret-subject|example\.test/i);
  });

  it('tells a person who was shut out that they were, and signs them in nowhere', async () => {
    const { browser } = await signedInAs('gone');
    const id = String(pick((await me(browser)).body, 'person', 'id'));
    expect((await here.post('ada', `/v1/people/${id}/disable`, {})).status).toBe(200);
    expect((await browser.get('/')).status).toBe(302);
    const again = await signedInAs('gone');
    expect([again.answer.status, again.answer.text.includes('You were shut out')]).toEqual([403, true]);
    expect(again.browser.cookies.has('proviso_session')).toBe(false);
  });

  it('leads back to the page that was wanted, and wants a fresh proof where that is asked for', async () => {
    const wanted = `?fresh=true&to=${encodeURIComponent('/login/cli')}`;
    const browser = openBrowser(here.fastify);
    const url = new URL(await begun(browser, wanted));
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      prompt: 'login',
      max_age: '0',
      code_challenge_method: 'S256',
    });
    const answer = await cameBack(browser, await provider.walk(url.href, 'vera'));
    expect([answer.status, answer.headers['location']]).toEqual([303, '/login/cli']);
    const id = String(pick((await me(browser)).body, 'person', 'id'));
    const [session] = await here.parts.journal.sessions.of(here.workspace, id as `psn_${string}`);
    expect(Date.now() - (session?.authenticatedAt ?? 0)).toBeLessThan(60_000);
  });
});

describe('an answer that is not the one to this sign-in', () => {
  /** Each ends on a page of ours with this status, signs nobody in and adds nobody. */
  async function expectRefused(answer: Awaited<ReturnType<Browser['get']>>, browser: Browser, status = 400) {
    expect([answer.status, String(answer.headers['content-type'])]).toEqual([status, 'text/html; charset=utf-8']);
    expect(answer.text).toContain(status === 503 ? 'Nobody can sign in now' : 'You are not signed in');
    expect(browser.cookies.has('proviso_session')).toBe(false);
  }

  let before: number;
  beforeEach(async () => {
    before = (await people()).length;
  });
  afterEach(async () => {
    expect(await people()).toHaveLength(before);
  });

  it('is refused in another browser, and in one that has not begun', async () => {
    const url = await provider.walk(await begun(openBrowser(here.fastify)), 'mallory');
    const other = openBrowser(here.fastify);
    await expectRefused(await cameBack(other, url), other);
    await begun(other);
    await expectRefused(await cameBack(other, url), other);
  });

  it.each<[string, (url: URL) => void]>([
    ['without its state', (url) => url.searchParams.delete('state')],
    ['with a forged state', (url) => url.searchParams.set('state', 'x'.repeat(43))],
    ['with two states', (url) => url.searchParams.append('state', 'x'.repeat(43))],
    ['with a code that nobody gave', (url) => url.searchParams.set('code', 'x'.repeat(43))],
    ['without a code', (url) => url.searchParams.delete('code')],
    [
      'from another provider, as its address says (mix-up)',
      (url) => url.searchParams.set('iss', 'https://evil.example'),
    ],
    ['without saying from which provider', (url) => url.searchParams.delete('iss')],
    ['that says that nothing was allowed', (url) => url.searchParams.set('error', 'access_denied')],
    ['that says a script', (url) => url.searchParams.set('error', '<script>alert(1)</script>')],
  ])('is refused %s', async (_how, change) => {
    const browser = openBrowser(here.fastify);
    const url = await provider.walk(await begun(browser), 'mallory');
    change(url);
    const answer = await cameBack(browser, url);
    await expectRefused(answer, browser);
    expect(answer.text).not.toContain('<script');
  });

  it('is refused when it is replayed, by our cookie and by the provider', async () => {
    const browser = openBrowser(here.fastify);
    const start = await begun(browser, '?to=/');
    const kept = new Map(browser.cookies);
    const url = await provider.walk(start, 'vera');
    expect((await cameBack(browser, url)).status).toBe(303);
    const again = openBrowser(here.fastify);
    await expectRefused(await cameBack(again, url), again);
    for (const [name, value] of kept) again.cookies.set(name, value);
    await expectRefused(await cameBack(again, url), again);
  });

  it('is refused with the verifier of another sign-in', async () => {
    const [browser, other] = [openBrowser(here.fastify), openBrowser(here.fastify)];
    const start = new URL(await begun(browser));
    const challenge = new URL(await begun(other)).searchParams.get('code_challenge') ?? '';
    start.searchParams.set('code_challenge', challenge);
    await expectRefused(await cameBack(browser, await provider.walk(start.href, 'mallory')), browser);
  });

  it('is refused with a code that was given to another application', async () => {
    const browser = openBrowser(here.fastify);
    const start = new URL(await begun(browser));
    start.searchParams.set('client_id', 'other');
    await expectRefused(await cameBack(browser, await provider.walk(start.href, 'mallory')), browser);
  });

  const hourMs = 3_600_000;
  const seconds = (shiftMs: number) => Math.floor((Date.now() + shiftMs) / 1_000);

  it.each<[string, () => NonNullable<TestProvider['tamper']>]>([
    ['another nonce', () => withClaims((claims) => ({ ...claims, nonce: 'other' }), provider.signed)],
    ['no nonce', () => withClaims(({ nonce: _nonce, ...claims }) => claims, provider.signed)],
    ['another audience', () => withClaims((claims) => ({ ...claims, aud: 'other' }), provider.signed)],
    [
      'a second audience and no word on who asked',
      () => withClaims((claims) => ({ ...claims, aud: ['proviso', 'other'] }), provider.signed),
    ],
    ['another issuer', () => withClaims((claims) => ({ ...claims, iss: 'https://evil.example' }), provider.signed)],
    [
      'an end that is over',
      () => withClaims((claims) => ({ ...claims, exp: seconds(-hourMs), iat: seconds(-2 * hourMs) }), provider.signed),
    ],
    ['a beginning in the future', () => withClaims((claims) => ({ ...claims, nbf: seconds(hourMs) }), provider.signed)],
    ['no subject', () => withClaims(({ sub: _sub, ...claims }) => claims, provider.signed)],
    ['the signature of a stranger', () => withClaims((claims) => claims, provider.forged)],
    ['no signature', () => withClaims((claims) => claims, unsigned)],
    [
      'another subject under the old signature',
      () => async (tokens) => {
        const [head, body = '', mac] = String(tokens['id_token']).split('.');
        const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
        const other = Buffer.from(JSON.stringify({ ...claims, sub: 'root' })).toString('base64url');
        return { ...tokens, id_token: [head, other, mac].join('.') };
      },
    ],
    [
      'no ID token',
      () =>
        async ({ id_token: _none, ...tokens }) =>
          tokens,
    ],
  ])('is refused with %s', async (_what, tamper) => {
    const browser = openBrowser(here.fastify);
    const url = await provider.walk(await begun(browser), 'mallory');
    provider.tamper = tamper();
    await expectRefused(await cameBack(browser, url), browser);
  });

  it.each<[string, (claims: Record<string, unknown>) => Record<string, unknown>]>([
    ['an old one', (claims) => ({ ...claims, auth_time: seconds(-hourMs) })],
    ['none at all', ({ auth_time: _none, ...claims }) => claims],
  ])('is refused with %s where a fresh proof was asked for', async (_what, change) => {
    const browser = openBrowser(here.fastify);
    const url = await provider.walk(await begun(browser, '?fresh=true'), 'vera');
    provider.tamper = withClaims(change, provider.signed);
    await expectRefused(await cameBack(browser, url), browser);
  });

  it('counts what was refused, without a word of who it was', async () => {
    const { text } = await here.ask(null, 'GET', '/metrics');
    expect(text).toMatch(/proviso_api_refusals_total\{code="sign_in_refused"\} \d\d/);
    expect(text).not.toContain('mallory');
  });
});

describe('a provider that is away', () => {
  it('is told as such', async () => {
    const away = await openDeployment({ publicUrl, oidc: { ...provider.oidc, issuer: 'http://127.0.0.1:9' } });
    try {
      const answer = await openBrowser(away.fastify).get('/login');
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
      expect(answer.text).toContain('Nobody can sign in now');
    } finally {
      await away.close();
    }
  });

  it('is told as such when it goes in the middle of a sign-in, and when it speaks no protocol of ours', async () => {
    const going = await startProvider(publicUrl);
    const there = await openDeployment({ publicUrl, oidc: going.oidc });
    try {
      const browser = openBrowser(there.fastify);
      const start = String((await browser.get('/login')).headers['location']);
      const url = await going.walk(start, 'vera');
      await going.close();
      const answer = await browser.get(`${url.pathname}${url.search}`);
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    } finally {
      await there.close();
    }
    const browser = openBrowser(here.fastify);
    const url = await provider.walk(await begun(browser), 'vera');
    provider.tamper = async () => await Promise.resolve({ said: 'nothing' });
    expect((await cameBack(browser, url)).status).toBe(400);
    provider.tamper = null;
    expect((await signedInAs('vera')).answer.status).toBe(303);
  });
});

describe('local people, where a provider is configured', () => {
  it('do not sign in with tokens, and those of the founding stop working, except of services', async () => {
    const { cookies: _cookies, ...browser } = openBrowser(here.fastify);
    expect((await browser.post('/login', { token: here.tokens.sam })).status).toBe(404);
    const strict = await openDeployment({
      publicUrl,
      oidc: { ...provider.oidc, workspace: `wsp_${'e'.repeat(32)}`, keepLocalTokens: false },
    });
    try {
      expect((await strict.ask('ada', 'GET', '/v1/me')).status).toBe(401);
      expect((await strict.ask('edge', 'GET', '/v1/me')).status).toBe(200);
    } finally {
      await strict.close();
    }
    expect((await here.ask('ada', 'GET', '/v1/me')).status).toBe(200);
  });
});
