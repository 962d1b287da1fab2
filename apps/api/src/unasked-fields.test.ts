import { type Browser, pairingQuery, signedIn } from './browser.contract.ts';
import { type Answer, type Deployment, archiveOf, forgiveAll, formOf, pick, pickText } from './deployment.contract.ts';
import { type Ground, addressOf, bodyFor, formFor, openGround } from './doors.contract.ts';
import { type Agent, addAgent } from './mcp/agent.contract.ts';
import { tools } from './mcp/tools.ts';
import { Problem } from './problem.ts';
import { type Route, routeKey } from './route.ts';
import { routes } from './routes.ts';

// Whoever names an approver, a status or a workspace tries something: at every door that takes a body, and in whatever form
// it takes it, such a field is refused by its name. What Slack and GitHub sign is theirs to name; only what is asked for is
// read of it. What releases report to an edge is of an open protocol, and whose it is is known from the socket.

let ground: Ground;
let here: Deployment;
let agent: Agent;

beforeAll(async () => {
  ground = await openGround();
  here = ground.here;
  agent = await addAgent(here);
});

afterAll(async () => {
  await here.close();
});

beforeEach(() => forgiveAll(here));

const fields = ['approverId', 'status', 'workspaceId', '__caslSubjectType__', 'constructor'];

const doorsOf = (...takes: readonly (keyof Route['takes'])[]) =>
  routes
    .filter((route) => takes.some((one) => route.takes[one] !== undefined) && route.takes.signedBy === undefined)
    .map((route) => [routeKey(route.method, route.path), route] as const);

function unknownAt(field: string, at = '') {
  const error = { pointer: `${at}/${field}`, code: 'unknown_field', message: 'expected no such field' };
  return expect.objectContaining({ code: 'invalid', errors: expect.arrayContaining([error]) });
}

/** As somebody who has every role, but where only an agent is let in. */
async function send({ method, access }: Route, url: string, payload: object | string, type = 'application/json') {
  const headers = { 'content-type': type, ...(access.kind === 'agent' && { authorization: `Bearer ${agent.token}` }) };
  return await here.ask(access.kind === 'agent' ? null : 'max', method, url, { payload, headers });
}

describe('a field that nobody asked for', () => {
  it.each(doorsOf('json').filter(([key]) => key !== 'POST /mcp'))(
    'is 422 by its name in JSON at %s',
    async (_key, route) => {
      const body = wellFormed(route);
      for (const field of fields) {
        const { status, body: told } = await send(route, addressOf(ground, route), { ...body, [field]: 'x' });
        expect([field, status, told]).toEqual([field, 422, unknownAt(field)]);
      }
    },
  );

  it('is 422 by its name within what an edge reports, however deep', async () => {
    const fence = { incarnation: 1, counter: 1 };
    const artifactDigest = ground.things.digests.artifactDigest;
    const release = { release: 'r', artifactDigest, state: 'ready', restarts: 0 };
    const lane = { lane: ground.lane, fence, weightServedPercent: 0, parked: false, releases: [release] };
    const report = { edge: 'e', boot: 'b', lanes: [lane] };
    expect((await here.post('max', '/v1/edge/orders', report)).status).toBe(200);
    for (const field of fields) {
      const extra = { [field]: 'x' };
      for (const [at, body] of [
        ['', { ...report, ...extra }],
        ['/lanes/0', { ...report, lanes: [{ ...lane, ...extra }] }],
        ['/lanes/0/fence', { ...report, lanes: [{ ...lane, fence: { ...fence, ...extra } }] }],
        ['/lanes/0/releases/0', { ...report, lanes: [{ ...lane, releases: [{ ...release, ...extra }] }] }],
      ] as const) {
        const { status, body: told } = await here.post('max', '/v1/edge/orders', body);
        expect([field, at, status, told]).toEqual([field, at, 422, unknownAt(field, at)]);
      }
    }
  });

  it('is 422 by its name within the JSON that names a commit', async () => {
    const url = `/v1/prototypes/${ground.things.prototype}/candidates`;
    const git = { path: 'x', commit: 'main' };
    const github = { owner: 'team', repository: 'app', commit: 'main' };
    for (const source of [{ git }, { github }])
      for (const field of fields) {
        const [[name, of]] = Object.entries(source) as [[string, object]];
        const within = await here.post('bea', url, { version: 'v2', [name]: { ...of, [field]: 'x' } });
        expect([field, within.status, within.body]).toEqual([field, 422, unknownAt(field, `/${name}`)]);
        const beside = await here.post('bea', url, { version: 'v2', ...source, [field]: 'x' });
        expect([field, beside.status, beside.body]).toEqual([field, 422, unknownAt(field)]);
      }
  });

  it.each(['before', 'after'])('is 422 by its name in a form with an archive, %s the file', async (when) => {
    const url = `/v1/prototypes/${ground.things.prototype}/candidates`;
    // The parser of such forms itself refuses names that every object has.
    for (const field of fields.filter((one) => one !== 'constructor')) {
      const form = formOf('v9', archiveOf(`${when} ${field}`));
      const [boundary = ''] = String(form.headers?.['content-type']).split('boundary=').slice(1);
      const part = Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\nx\r\n`);
      const whole = form.payload as Buffer;
      const end = whole.length - `--${boundary}--\r\n`.length;
      const payload =
        when === 'before'
          ? Buffer.concat([part, whole])
          : Buffer.concat([whole.subarray(0, end), part, whole.subarray(end)]);
      const { status, body } = await here.ask('bea', 'POST', url, { ...form, payload });
      expect([field, status, pick(body, 'code'), pick(body, 'errors', 0, 'pointer')]).toEqual([
        ...[field, 422, 'invalid', `/${field}`],
      ]);
    }
    const { body } = await here.ask('bea', 'GET', url);
    expect(pick(body, 'items')).toHaveLength(1);
  });

  it('is 422 with its line in a policy that is sent as YAML', async () => {
    for (const field of fields) {
      const source = `policy: mine\n${field}: x\ngates:\n  - gate: readiness\n`;
      const [, route] = doorsOf('yaml')[0] ?? [];
      expect(route?.name).toBe('publishPolicy');
      for (const type of ['text/yaml', 'application/yaml']) {
        const headers = { 'content-type': type };
        const { status, body } = await here.ask('petra', 'POST', '/v1/policies', { payload: source, headers });
        expect([field, status, body['code'], pickText(body, 'errors', 0, 'pointer')]).toEqual([
          ...[field, 422, 'policy_invalid', expect.stringContaining('line=2')],
        ]);
      }
    }
  });

  it.each(tools.map((tool) => [tool.name, tool] as const))('is refused by its name by the tool %s', (_name, tool) => {
    for (const field of fields) {
      const told = (() => {
        try {
          return tool.ask({ [field]: 'x' });
        } catch (error) {
          return error instanceof Problem ? error.more.errors : error;
        }
      })();
      expect([field, told]).toEqual([
        field,
        expect.arrayContaining([expect.objectContaining({ pointer: `/arguments/${field}`, code: 'unknown_field' })]),
      ]);
    }
  });
});

/** A body that nothing else is wrong with. */
function wellFormed(route: Route): object {
  if (route.name === 'pollEdgeOrders') return { edge: 'e', boot: 'b', lanes: [] };
  return bodyFor(ground, route).payload;
}

describe('a form of a page with a field that is not on it', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await signedIn(here, 'max');
  });

  it.each(doorsOf('form'))('is 422 with a page that names it at %s', async (key, route) => {
    for (const field of fields) {
      const form = { ...wellFilled(route), [field]: 'x' };
      expectNamed(key, field, await browser.post(addressOf(ground, route), form));
    }
    // Nothing was done: neither signed out nor anything else.
    expect((await browser.get('/account')).status).toBe(200);
  });

  it.each(doorsOf('form'))('is 422 with a page that names it in the address of %s', async (key, route) => {
    const url = `${addressOf(ground, route)}?workspaceId=x`;
    expectNamed(key, 'workspaceId', await browser.post(url, wellFilled(route)));
  });

  function wellFilled(route: Route): Record<string, string> {
    if (route.name === 'loginByToken') return { token: here.tokens.max };
    if (route.name === 'pair') return Object.fromEntries(new URLSearchParams(pairingQuery));
    return formFor(ground, route);
  }

  function expectNamed(key: string, field: string, { status, headers, text }: Answer): void {
    expect([key, field, status, String(headers['content-type'])]).toEqual([
      key,
      field,
      422,
      'text/html; charset=utf-8',
    ]);
    expect([key, /role="alert" data-code="invalid"/.test(text), text.includes(field)]).toEqual([key, true, true]);
    expect(text).toContain('Nothing was recorded');
  }
});

describe('a parameter that nobody asked for', () => {
  // A provider adds what it likes to the way back from it.
  const doors = routes.filter(({ name, takes }) => name !== 'finishLogin' && takes.signedBy === undefined);

  it.each(
    doors
      .filter(({ takes }) => takes.form === undefined)
      .map((route) => [routeKey(route.method, route.path), route] as const),
  )('is 422 in the address of %s', async (_key, route) => {
    const browser = await signedIn(here, 'max');
    for (const field of ['workspaceId', 'approverId']) {
      const url = `${addressOf(ground, route)}?${route.name === 'showPairing' ? `${pairingQuery}&` : ''}${field}=x`;
      const { status } = await (route.access.kind === 'page'
        ? browser.get(url)
        : send(route, url, route.method === 'GET' ? '' : wellFormed(route)));
      expect([field, status]).toEqual([field, 422]);
    }
  });
});
