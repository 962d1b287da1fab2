import { assemble } from './assembly.ts';
import { type Browser, openBrowser, pairingQuery, signedIn, verifier } from './browser.contract.ts';
import { type Actor, type Deployment, openDeployment, pick, pickText } from './deployment.contract.ts';
import { openLog } from './log.ts';
import { createServer } from './server.ts';
import { openJournal } from '@proviso/journal';

let here: Deployment;

beforeAll(async () => {
  here = await openDeployment();
});

afterAll(async () => {
  await here.close();
});

const bearer = (actor: Actor) => ({ authorization: `Bearer ${here.tokens[actor]}` });
const cookieOf = ({ cookies }: Browser) => ({
  cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
});

describe('signing in with a token of one’s own', () => {
  it('leads to the page that was wanted, and shows who is signed in', async () => {
    const browser = openBrowser(here.fastify);
    const first = await browser.get('/');
    expect([first.status, first.headers['location']]).toEqual([302, '/login?to=%2F']);
    expect((await browser.get('/login?to=%2F')).text).toContain('name="to" value="/"');
    const answer = await browser.post('/login', { token: here.tokens.sam, to: '/' });
    expect([answer.status, answer.headers['location']]).toEqual([303, '/']);
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^proviso_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect((await browser.get('/')).text).toContain('Name of sam');
  });

  it.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/..//evil.example',
    'javascript:alert(1)',
    '/a\r\nx: y',
  ])('leads nowhere but to us, whatever the address asks: %j', async (to) => {
    const answer = await openBrowser(here.fastify).post('/login', { token: here.tokens.sam, to });
    const location = new URL(String(answer.headers['location']), 'http://127.0.0.1:7070');
    expect([answer.status, location.origin]).toEqual([303, 'http://127.0.0.1:7070']);
  });

  it('refuses a lent token, a narrow one, a service’s, an unknown one and one that another page sent', async () => {
    const lent = pickText((await here.post('ada', `/v1/people/${here.people.nil}/tokens`, {})).body, 'token');
    const narrow = pickText((await here.post('sam', '/v1/me/tokens', { scopes: ['read'] })).body, 'token');
    for (const token of [lent, narrow, here.tokens.edge, `prv_${'x'.repeat(43)}`, '']) {
      const answer = await openBrowser(here.fastify).post('/login', { token });
      expect([answer.status, answer.headers['set-cookie']]).toEqual([401, undefined]);
    }
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await openBrowser(here.fastify).post('/login', { token: here.tokens.sam }, headers)).status).toBe(403);
  });

  it('gives the cookie its strictest form where people come over https', async () => {
    const safe = await openDeployment({ publicUrl: 'https://proviso.example' });
    try {
      const answer = await openBrowser(safe.fastify).post('/login', { token: safe.tokens.sam });
      expect(String(answer.headers['set-cookie'])).toMatch(
        /^__Host-proviso_session=\S+; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
      );
    } finally {
      await safe.close();
    }
  });

  it('begins a session of its own, and ends the one that somebody else began in this browser', async () => {
    const planted = await signedIn(here, 'eve');
    const before = cookieOf(planted);
    await planted.post('/login', { token: here.tokens.sam });
    expect(cookieOf(planted)).not.toEqual(before);
    expect((await openBrowser(here.fastify).get('/', before)).status).toBe(302);
  });
});

describe('a session', () => {
  it('reads what its person may read, and changes nothing but through our pages', async () => {
    const cookie = cookieOf(await signedIn(here, 'olga'));
    expect((await here.ask(null, 'GET', '/v1/me', { headers: cookie })).body).toMatchObject({
      person: { id: here.people.olga },
    });
    expect((await here.ask(null, 'GET', '/v1/promotions', { headers: cookie })).status).toBe(200);
    const headers = { ...cookie, 'sec-fetch-site': 'same-origin' };
    const payload = { name: 'by-cookie' };
    expect((await here.ask(null, 'POST', '/v1/prototypes', { headers, payload })).status).toBe(401);
    expect((await here.ask(null, 'PUT', '/v1/workspace/limits', { headers, payload: {} })).status).toBe(401);
  });

  it('never counts beside a token: one credential is judged, and it alone', async () => {
    const cookie = cookieOf(await signedIn(here, 'ada'));
    const both = await here.ask(null, 'GET', '/v1/me', { headers: { ...cookie, ...bearer('sam') } });
    expect(both.body).toMatchObject({ person: { id: here.people.sam } });
    const forged = { ...cookie, authorization: `Bearer prv_${'x'.repeat(43)}` };
    expect((await here.ask(null, 'GET', '/v1/me', { headers: forged })).status).toBe(401);
    expect((await openBrowser(here.fastify).get('/', { ...cookie, ...bearer('sam') })).status).toBe(401);
    expect((await here.ask(null, 'GET', '/', { headers: bearer('sam') })).body['code']).toBe('unauthenticated');
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another host of the same site, such as a prototype', { 'sec-fetch-site': 'same-site' }],
    ['another origin, in an older browser', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
    ['an origin that hides', { origin: 'null' }],
  ])('is not spoken for by a form of %s', async (_whose, headers) => {
    const browser = await signedIn(here, 'sam');
    const answer = await browser.post('/logout', {}, headers);
    expect([answer.status, answer.text.includes('another page')]).toEqual([403, true]);
    expect((await browser.get('/')).status).toBe(200);
  });

  it('is not spoken for by a form without its own proof, or with that of another session', async () => {
    const [browser, other] = [await signedIn(here, 'sam'), await signedIn(here, 'sam')];
    const stolen = /name="form" value="([^"]+)"/.exec((await other.get('/')).text)?.[1] ?? '';
    await browser.get('/');
    for (const form of ['', 'x', stolen]) expect((await browser.post('/logout', { form })).status).toBe(403);
    expect((await browser.post('/logout')).status).toBe(200);
    expect((await browser.get('/')).status).toBe(302);
  });

  it('ends at logout for good, also for who kept its cookie', async () => {
    const browser = await signedIn(here, 'kim');
    const kept = cookieOf(browser);
    await browser.post('/logout');
    expect((await openBrowser(here.fastify).get('/', kept)).status).toBe(302);
    expect((await here.ask(null, 'GET', '/v1/me', { headers: kept })).status).toBe(401);
  });

  it('is listed by the rules by which it is ended: a token that could not end it does not list it', async () => {
    const address = `/v1/people/${here.people.sam}/sessions`;
    const prototype = pickText((await here.post('bea', '/v1/prototypes', { name: 'bound' })).body, 'id');
    const roles = [{ role: 'administrator', prototype }];
    const added = await here.post('ada', '/v1/people', { name: 'Administers one prototype', roles });
    const tokenOf = async (person: string) =>
      pickText((await here.post('ada', `/v1/people/${person}/tokens`, {})).body, 'token');
    const tokens = [
      await tokenOf(pickText(added.body, 'id')),
      await tokenOf(here.people.sam),
      pickText((await here.post('sam', '/v1/me/tokens', { scopes: ['read'] })).body, 'token'),
    ];
    const codes = [];
    for (const token of tokens) {
      const headers = { authorization: `Bearer ${token}` };
      codes.push((await here.ask(null, 'GET', address, { headers })).body['code']);
    }
    expect(codes).toEqual(['not_permitted', 'step_up_required', 'scope_missing']);
    expect((await here.ask('sam', 'GET', address)).status).toBe(200);
    expect((await here.ask('ada', 'GET', address)).status).toBe(200);
  });

  it('ends with its person at every replica, and lists who else is signed in until then', async () => {
    const journal = await openJournal({
      ...{ url: here.appUrl, connectionsMax: 2, origin: 'test', durable: false },
      vaultKeyHex: here.parts.config.vaultKeyHex,
    });
    const parts = assemble({ ...here.parts.config, evidence: here.evidence }, journal, openLog('silent'));
    const replica = await createServer(parts);
    try {
      const headers = cookieOf(await signedIn(here, 'max'));
      const there = async () => (await replica.inject({ method: 'GET', url: '/v1/me', headers })).statusCode;
      expect(await there()).toBe(200);
      const listed = await here.ask('ada', 'GET', `/v1/people/${here.people.max}/sessions`);
      expect(listed.body['items']).toHaveLength(1);
      expect((await here.ask('sam', 'GET', `/v1/people/${here.people.max}/sessions`)).status).toBe(403);
      expect((await here.post('sam', `/v1/people/${here.people.max}/sessions/end`, {})).status).toBe(403);
      await here.post('ada', `/v1/people/${here.people.max}/disable`, {});
      expect(await there()).toBe(401);
    } finally {
      parts.feed.close();
      parts.metrics.close();
      await replica.close();
      await journal.close();
    }
  });

  it('is ended by its own person everywhere, with an entry that says so', async () => {
    const [one, other] = [await signedIn(here, 'aud'), await signedIn(here, 'aud')];
    const ended = await here.post('aud', `/v1/people/${here.people.aud}/sessions/end`, {});
    expect([ended.status, ended.body]).toEqual([200, { items: [] }]);
    expect([(await one.get('/')).status, (await other.get('/')).status]).toEqual([302, 302]);
    const entries = await here.parts.journal
      .reads(here.workspace)
      .history({ stream: 'person', id: here.people.aud, limit: 50 });
    expect(entries.map(({ kind }) => kind)).toContain('sessions_ended');
  });
});

describe('a command line that its person lets in', () => {
  it('gets a token of its person’s own issue for a code and its verifier, and decides with it', async () => {
    const browser = await signedIn(here, 'kim');
    const allowed = await browser.post('/login/cli', Object.fromEntries(new URLSearchParams(pairingQuery)));
    const location = new URL(String(allowed.headers['location']));
    expect([allowed.status, location.origin]).toEqual([303, 'http://127.0.0.1:40000']);
    expect(location.searchParams.get('state')).toBe('s'.repeat(20));
    const code = location.searchParams.get('code') ?? '';
    const wrong = await here.post(null, '/v1/login/token', { code, verifier: 'w'.repeat(43) });
    expect([wrong.status, wrong.body['code']]).toEqual([400, 'sign_in_refused']);
    const changed = `${code.slice(0, -4)}AAAA`;
    expect((await here.post(null, '/v1/login/token', { code: changed, verifier })).status).toBe(400);
    const paired = await here.post(null, '/v1/login/token', { code, verifier });
    expect(paired.body).toMatchObject({ person: { id: here.people.kim, name: 'Name of kim' } });
    expect((await here.post(null, '/v1/login/token', { code, verifier })).body).toEqual(paired.body);
    const headers = { authorization: `Bearer ${pickText(paired.body, 'token')}` };
    const me = await here.ask(null, 'GET', '/v1/me', { headers });
    expect(pick(me.body, 'person', 'tokens')).toContainEqual(
      expect.objectContaining({ id: paired.body['id'], issuedBy: here.people.kim }),
    );
    const path = `/v1/people/${here.people.kim}/tokens/revoke`;
    expect((await here.ask(null, 'POST', path, { headers, payload: { token: paired.body['id'] } })).status).toBe(200);
    expect((await here.ask(null, 'GET', '/v1/me', { headers })).status).toBe(401);
  });

  it('gets no token by a token: what was stolen or lent cannot make itself last', async () => {
    expect((await here.post('kim', `/v1/people/${here.people.kim}/tokens`, {})).status).toBe(403);
  });
});
