import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { authorityMatrix } from './authority-matrix.ts';
import { pairingQuery, signedIn, voteForm } from './browser.contract.ts';
import { type Actor, type Deployment, atApproval, cast, openDeployment, policySource } from './deployment.contract.ts';
import { openapiText } from './openapi.ts';
import { type Route, routeKey } from './route.ts';
import { routes, routesByKey } from './routes.ts';

let here: Deployment;
let things: Awaited<ReturnType<typeof atApproval>>;
let lane: string;

beforeAll(async () => {
  here = await openDeployment();
  things = await atApproval(here, 'doors');
  const read = await here.parts.journal.reads(here.workspace).promotion(things.promotion);
  lane = read?.state.lanes.production ?? '';
});

afterAll(async () => {
  await here.close();
});

/** The address of a thing of ours for a route. */
function addressOf({ path }: Route): string {
  const noun = path.split('/')[2] ?? '';
  if (path.startsWith('/decide/')) return path.replace(':id', things.gate);
  const ids: Record<string, string> = {
    gates: things.gate,
    lanes: lane,
    // Another door of this very table shuts Kim out, and nobody votes in the stead of others then.
    people: path.endsWith('delegations') ? here.people.max : here.people.kim,
    policies: things.policy,
    promotions: things.promotion,
    prototypes: things.prototype,
  };
  return path
    .replace(':id', ids[noun] ?? '')
    .replace(':digest', `sha256:${'a'.repeat(64)}`)
    .replace(':version', '1');
}

/** Roles of the cast; `nil` has none. */
const heldBy: Partial<Record<Actor, string>> = {
  bea: 'builder',
  sam: 'approver',
  olga: 'operator',
  petra: 'policy-owner',
  aud: 'auditor',
  ada: 'administrator',
  edge: 'edge',
};

describe('the route table', () => {
  it('has a row for every route of the server and no row too many', () => {
    const served = routes.filter((route) => here.fastify.hasRoute({ method: route.method, url: route.path }));
    expect(served).toHaveLength(routes.length);
    expect(routesByKey.size).toBe(routes.length);
    const lines =
      here.fastify.printRoutes({ commonPrefix: false }).match(/\((GET|POST|HEAD|PUT|DELETE|PATCH|OPTIONS)[^)]*\)/g) ??
      [];
    expect(lines.join(' ').match(/GET|POST|HEAD|PUT|DELETE|PATCH|OPTIONS/g)).toHaveLength(routes.length);
  });

  it('stops the start of a server with a route that has no row', async () => {
    const { FastifyAdapter } = await import('@nestjs/platform-fastify');
    const { expectRows } = await import('./server.ts');
    const fastify = new FastifyAdapter().getInstance();
    expectRows(fastify);
    expect(() => fastify.get('/v1/back-door', () => 'in')).toThrow('expected a row for GET /v1/back-door');
  });

  it('is the committed authority matrix and the committed OpenAPI document', async () => {
    const file = (name: string) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');
    expect(authorityMatrix()).toBe(await file('authority.matrix.txt'));
    expect(openapiText()).toBe(await file('openapi.json'));
  });
});

describe('the guard', () => {
  it('answers 401 on every route that is not public, whatever the credential looks like', async () => {
    const forged = `prv_${randomBytes(32).toString('base64url')}`;
    const headers = [
      {},
      ...[
        `Bearer ${forged}`,
        'Bearer ',
        `Basic ${forged}`,
        `Bearer ${here.tokens.sam}x`,
        forged,
        'Bearer e30.e30.',
      ].map((authorization) => ({ authorization })),
    ];
    for (const route of routes.filter(({ access }) => access.kind !== 'public')) {
      for (const one of headers) {
        const answer = await here.ask(null, route.method, addressOf(route), { headers: one });
        // A browser without any credential is shown the way to sign in, by a page; its form must be of a page of ours.
        const isBrowser = route.access.kind === 'page' && !('authorization' in one);
        const expected = isBrowser ? (route.method === 'GET' ? 302 : 403) : 401;
        const key = routeKey(route.method, route.path);
        expect([key, answer.status]).toEqual([key, expected]);
        if (expected === 302) expect(answer.headers['location']).toMatch(/^\/login\?to=/);
      }
    }
  });

  it('lets each role in where the matrix says so and nowhere else', async () => {
    const rows = authorityMatrix()
      .split('\n')
      .filter((line) => /^(GET|POST|PUT) /.test(line));
    const columns = (authorityMatrix().split('\n')[4] ?? '').trim().split(/\s+/);
    for (const route of routes.filter(({ path }) => path !== '/v1/events')) {
      const key = routeKey(route.method, route.path);
      const row = rows
        .map((line) => line.split(/\s+/))
        .find((cells) => `${cells[0]} ${cells[1]}` === key && ['-', 'workspace'].includes(cells[2] ?? ''));
      for (const [actor, role] of Object.entries(heldBy) as [Actor, string][]) {
        const cell = row?.[2 + columns.indexOf(role)];
        // Bea is an approver as well; on her own work, which is where votes are, that is no right.
        const isAlsoApprover = actor === 'bea' && row?.[2 + columns.indexOf('approver')] === 'yes';
        // Refused at most doors, everybody would be refused as too many tries in the end.
        here.parts.refusals.forgive(here.people[actor]);
        // An empty body is wrong everywhere: whoever may come in learns that, whoever may not learns only that.
        const answer =
          route.access.kind === 'page'
            ? await onPage(actor, route)
            : await here.ask(
                actor,
                route.method,
                addressOf(route),
                route.access.kind === 'command' ? bodyFor(route) : sameSite,
              );
        const isIn = answer.status !== 403;
        expect([key, role, isIn]).toEqual([
          key,
          role,
          !isExceptional(route) && (cell === 'vote' ? actor === 'sam' : cell !== '403' || isAlsoApprover),
        ]);
      }
    }
  });

  it('lets a person without any role see nothing but themselves', async () => {
    for (const route of routes.filter(({ access, method }) => access.kind === 'read' && method === 'GET')) {
      expect((await here.ask('nil', 'GET', addressOf(route))).status).toBe(403);
    }
    expect((await here.ask('nil', 'GET', '/v1/me')).body).toMatchObject({ person: { id: here.people.nil, roles: [] } });
    expect(cast).toContain('nil');
  });

  it('goes by the matched route, however the path is spelt', async () => {
    const { decisions, digests } = things;
    const tricks = [
      decisions.replace('decisions', '%64ecisions'),
      decisions.replace('/v1/', '//v1/'),
      `${decisions}/`,
      decisions.replace('decisions', 'DECISIONS'),
      decisions.replace('/v1/', '/v1/./'),
      decisions.replace('/gates/', '/people/../gates/'),
      `${decisions}%00`,
      `${decisions};x=1`,
      `${decisions}?_method=GET`,
    ];
    for (const url of tricks) {
      const unknown = await here.ask(null, 'POST', url, { payload: { verdict: 'approve', ...digests } });
      const known = await here.ask('aud', 'POST', url, { payload: { verdict: 'approve', ...digests } });
      expect([url, [401, 404].includes(unknown.status)]).toEqual([url, true]);
      expect([url, [403, 404, 422].includes(known.status)]).toEqual([url, true]);
    }
    for (const method of ['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'TRACE'] as const) {
      const answer = await here.fastify.inject({
        method: method as 'HEAD',
        url: '/v1/me',
        headers: { authorization: `Bearer ${here.tokens.sam}` },
      });
      expect([method, answer.statusCode]).toEqual([method, 404]);
    }
  });
});

/** The same in a browser; services have none, so they come nowhere. */
async function onPage(actor: Actor, route: Route) {
  if (actor === 'edge') return { status: route.access.kind === 'page' && route.access.needs === 'self' ? 200 : 403 };
  const browser = await signedIn(here, actor);
  if (route.method === 'GET')
    return await browser.get(`${addressOf(route)}${route.path === '/login/cli' ? `?${pairingQuery}` : ''}`);
  return await browser.post(addressOf(route), formFor(route));
}

function formFor({ path }: Route): Record<string, string> {
  if (path === '/decide/:id') return voteForm(things.digests, { attempt: '99' });
  if (!path.startsWith('/decide/:id/')) return {};
  const { artifactDigest } = things.digests;
  const more = path.endsWith('approve') ? { artifactDigest } : path.endsWith('review') ? {} : { minutes: '5' };
  return { key: randomUUID(), reason: 'test', ...more };
}

const sameSite = { headers: { 'sec-fetch-site': 'same-origin' } };

/** The policy of the tests lets nobody agree to an exception, and no token breaks a glass. */
function isExceptional({ name }: Route): boolean {
  return /^(approveWaiver|reviewBreakGlass|(ask|approve)BreakGlass(OnPage)?)$/.test(name);
}

/** A body that is well-formed, so that only rights can be in the way of a command. */
function bodyFor({ path, name }: Route) {
  const digests = things.digests;
  const bodies: Record<string, object> = {
    addPerson: { name: 'New' },
    grantRole: { role: 'auditor' },
    revokeRole: { role: 'auditor' },
    issueToken: {},
    issueOwnToken: { scopes: ['read'] },
    revokeOwnToken: { token: `tok_${'0'.repeat(32)}` },
    revokeToken: { token: `tok_${'0'.repeat(32)}` },
    registerPrototype: { name: 'doors' },
    assignOwner: { owner: here.people.bea },
    trustPrototype: { trusted: false },
    freezeCandidate: { version: 'v2', git: { path: 'x', commit: 'main' } },
    publishPolicy: { source: policySource },
    agreeToPolicy: { digest: digests.artifactDigest },
    assignTier: { tier: null },
    trustWorkload: {
      ...{ name: 'CI', issuer: 'https://ci.example', audience: 'a', repository: 'team/app', ref: 'refs/heads/main' },
    },
    distrustWorkload: { service: here.people.nil },
    addEvidence: { kind: 'tests', commit: '0'.repeat(40), contentBase64: 'aGVsbG8=' },
    openPromotion: { prototype: things.prototype, candidate: things.candidate, policy: things.policy },
    decide: { verdict: 'approve', attempt: 99, ...digests },
    askWaiver: { owner: here.people.olga, until: '2026-01-01T00:00:00Z', reason: 'test' },
    approveWaiver: { waiver: `wvr_${'0'.repeat(32)}` },
    askBreakGlass: { reason: 'test' },
    approveBreakGlass: { artifactDigest: digests.artifactDigest },
    reviewBreakGlass: { reason: 'test' },
    delegate: { until: '2026-01-01T00:00:00Z' },
    endDelegation: {},
    deferGate: { until: '2026-01-01T00:00:00Z' },
    rerunGate: {},
    disablePerson: {},
    erasePerson: {},
    setVariable: { name: 'LOG_LEVEL', value: 'info' },
    unsetVariable: { name: 'LOG_LEVEL' },
    bindSecret: { name: 'MAIL_KEY', reference: { from: 'file', path: 'mail-key' } },
    unbindSecret: { name: 'MAIL_KEY' },
    rotateSecret: { name: 'MAIL_KEY' },
    setLimits: {},
    endSessions: {},
  };
  const stopping = /cancel|rollback|hold|resume|retire/.test(path) ? { reason: 'test' } : {};
  return { payload: bodies[name] ?? stopping };
}
