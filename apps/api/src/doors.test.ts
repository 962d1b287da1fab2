import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { authorityMatrix } from './authority-matrix.ts';
import { type Deployment, cast } from './deployment.contract.ts';
import { type Ground, addressOf, openGround } from './doors.contract.ts';
import { openapiText } from './openapi.ts';
import { routeKey } from './route.ts';
import { routes, routesByKey } from './routes.ts';

let ground: Ground;
let here: Deployment;

beforeAll(async () => {
  ground = await openGround();
  here = ground.here;
});

afterAll(async () => {
  await here.close();
});

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
        const answer = await here.ask(null, route.method, addressOf(ground, route), { headers: one });
        // A browser without any credential is shown the way to sign in, by a page; its form must be of a page of ours.
        const isBrowser = route.access.kind === 'page' && !('authorization' in one);
        const expected = isBrowser ? (route.method === 'GET' ? 302 : 403) : 401;
        const key = routeKey(route.method, route.path);
        expect([key, answer.status]).toEqual([key, expected]);
        if (expected === 302) expect(answer.headers['location']).toMatch(/^\/login\?to=/);
      }
    }
  });

  it('lets a person without any role see nothing but themselves', async () => {
    for (const route of routes.filter(({ access, method }) => access.kind === 'read' && method === 'GET')) {
      expect((await here.ask('nil', 'GET', addressOf(ground, route))).status).toBe(403);
    }
    expect((await here.ask('nil', 'GET', '/v1/me')).body).toMatchObject({ person: { id: here.people.nil, roles: [] } });
    expect(cast).toContain('nil');
  });

  it('goes by the matched route, however the path is spelt', async () => {
    const { decisions, digests } = ground.things;
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
