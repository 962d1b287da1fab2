import type { InjectOptions } from 'fastify';
import { type Deployment, atApproval, openDeployment } from './deployment.contract.ts';
import { type Agent, addAgent } from './mcp/agent.contract.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

let here: Deployment;
let known: Readonly<Record<string, string>>;
let agent: Agent;

beforeAll(async () => {
  here = await openDeployment();
  agent = await addAgent(here);
  const things = await atApproval(here, 'malformed');
  const read = await here.parts.journal.reads(here.workspace).promotion(things.promotion);
  known = {
    webhooks: `whk_${'0'.repeat(32)}`,
    gates: things.gate,
    lanes: read?.state.lanes.production ?? '',
    people: here.people.nil,
    policies: things.policy,
    promotions: things.promotion,
    prototypes: things.prototype,
    evidence: read?.state.gates[0]?.evidence[0]?.digest ?? '',
    edge: read?.state.candidate.manifest.artifact ?? '',
  };
});

afterAll(async () => {
  await here.close();
});

const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

/** Bodies that no form of ours has: wrong syntax, wrong types, wrong letters, wrong sizes. */
const payloads: readonly (string | Buffer)[] = [
  '',
  '{',
  'null',
  '[]',
  '"text"',
  '0',
  '{}',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{"a":1}}}',
  '{"reason":"\\u0000"}',
  '{"reason":"\\ud800"}',
  '{"reason":""}',
  '{"reason":{"$regex":"(a+)+$"}}',
  `{"reason":"${'x'.repeat(3_000)}"}`,
  '{"name":"\\u0000","kind":"human"}',
  '{"name":"x","email":"a@b","roles":[{"role":"founder"}]}',
  '{"name":"x","actsFor":"psn_00000000000000000000000000000000"}',
  '{"name":"../../etc","owner":null}',
  '{"name":"GREETING","value":"half a letter: \\ud800"}',
  '{"source":"policy: half\\ngates:\\n  - gate: readiness # \\ud800"}',
  '{"owner":"psn_zz"}',
  '{"owner":"psn_ffffffffffffffffffffffffffffffff"}',
  '{"trusted":"yes"}',
  '{"role":"approver","group":"\\u0000"}',
  '{"role":"worker"}',
  '{"validDays":1e308}',
  '{"validDays":-1}',
  '{"verdict":"approve","artifactDigest":"sha256:x","evidenceDigest":1}',
  `{"verdict":"approve","attempt":1e99,"artifactDigest":"sha256:${'a'.repeat(64)}","evidenceDigest":"sha256:${'a'.repeat(64)}"}`,
  '{"prototype":"pro_1","candidate":[],"policy":{}}',
  '{"version":"v1","git":{"path":"../..","commit":"--upload-pack=x"}}',
  '{"version":"v1","git":{"path":"\\u0000","commit":"HEAD"}}',
  '{"version":"v1","github":{"owner":"..","repository":"..","commit":"HEAD^{/x}"}}',
  '{"source":"\\u0000"}',
  '{"source":"policy: &a [*a]"}',
  `{"source":${JSON.stringify(deep('[', ']', 5_000))}}`,
  '{"source":"policy: x\\ngates: !!js/function x"}',
  '{"edge":"e","boot":"b","lanes":[{"lane":"\\u0000"}]}',
  '{"edge":"\\u0000","boot":"b","lanes":[]}',
  '{"edge":"\\ud800","boot":"b","lanes":[]}',
  `{"edge":"e","boot":"b","lanes":[${'{},'.repeat(3_000)}{}]}`,
  deep('[', ']', 20_000),
  deep('{"a":', '1}', 1).replace('1}1}', '1}'),
  Buffer.from([0xff, 0xfe, 0x00, 0x7b]),
  '{"a":1}'.padEnd(2_000_000),
];

const types = [
  'application/json',
  'application/json; charset=utf-16',
  'text/yaml',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  '',
  ';;;',
];

const queries = [
  '?after=%00',
  '?after=%ff',
  '?after=a&after=b',
  '?limit=NaN',
  '?limit=-1',
  '?limit=1e9',
  '?limit[]=1',
  '?open=maybe',
  '?minRevision=9999999999999',
  '?minRevision=1.5',
  '?unknown=1',
  '?__proto__[a]=1',
  '?prototype=%27%3B--',
  `?after=${'x'.repeat(5_000)}`,
];

const ids = [
  '%00',
  '%ff',
  '..',
  '%2e%2e%2f',
  'prm_',
  `prm_${'g'.repeat(32)}`,
  'x'.repeat(190),
  'x'.repeat(900),
  '%',
  '%F0%9F%92%A9',
  "';--",
  'sha256:',
  `sha256:${'A'.repeat(64)}`,
  `gate_${'0'.repeat(32)}-constructor`,
];

const headers: readonly Record<string, string>[] = [
  { 'idempotency-key': '' },
  { 'idempotency-key': 'a b' },
  { 'idempotency-key': 'x'.repeat(201) },
  { 'idempotency-key': '\u00ff' },
  { 'last-event-id': '1.99999999999999999999' },
  { 'content-length': '-1' },
  { 'content-type': 'application/json; charset="' },
  { 'content-encoding': 'gzip' },
  { 'if-none-match': '"'.repeat(1_000) },
  { accept: 'text/html' },
];

function addressOf({ path }: Route): string {
  const noun = path.split('/')[2] ?? '';
  return path.replace(/:(id|digest)/, known[noun] ?? '');
}

async function statusOf(route: Route, url: string, more: InjectOptions = {}): Promise<number> {
  // Each by a person who is new to the limit of refusals: not one of these may be hidden behind 429.
  here.parts.refusals.forgive(here.people.max);
  // Nobody else comes far enough there to be read.
  if (route.access.kind === 'agent') {
    const headers = { ...more.headers, authorization: `Bearer ${agent.token}` };
    return (await here.ask(null, route.method, url, { ...more, headers })).status;
  }
  const answer = await here.ask('max', route.method, url, more);
  return answer.status;
}

// Without those two that take an empty body and end the very person whom the others are about.
const asked = routes.filter(({ path }) => path !== '/v1/events' && !/\/(disable|erase)$/.test(path));

describe('bad input', () => {
  it.each(asked.filter(({ method }) => method === 'POST').map((route) => [route.path, route] as const))(
    'to POST %s is a problem of the sender, never ours',
    async (_path, route) => {
      const seen: [string, number][] = [];
      for (const payload of payloads) {
        const status = await statusOf(route, addressOf(route), {
          payload,
          headers: { 'content-type': 'application/json' },
        });
        seen.push([String(payload).slice(0, 60), status]);
      }
      for (const type of types) {
        const payload = '--x\r\nContent-Disposition: form-data; name="archive"; filename="a"\r\n\r\nabc';
        seen.push([type, await statusOf(route, addressOf(route), { payload, headers: { 'content-type': type } })]);
      }
      expect(seen.filter(([, status]) => status >= 500)).toEqual([]);
    },
  );

  it('that is null is no empty body: nothing is done by default', async () => {
    const takers = asked.filter(({ method, takes }) => method !== 'GET' && takes.json !== undefined);
    for (const route of takers) {
      const options = { payload: 'null', headers: { 'content-type': 'application/json' } };
      expect([route.name, await statusOf(route, addressOf(route), options)]).toEqual([route.name, 422]);
    }
    const tokens = takers.find(({ name }) => name === 'issueToken');
    if (tokens === undefined) throw new Error('expected the door of tokens');
    // Nothing sent at all is what the default is for.
    expect(await statusOf(tokens, addressOf(tokens))).toBe(201);
  });

  it('in queries, paths and headers is a problem of the sender on every route', async () => {
    const seen: [string, number][] = [];
    for (const route of asked) {
      const address = addressOf(route);
      const addresses = [
        ...queries.map((query) => address + query),
        ...(route.path.includes('/:') ? ids.map((id) => route.path.replace(/:(id|digest)/, id)) : []),
      ];
      const body: InjectOptions =
        route.method === 'POST' ? { payload: '{}', headers: { 'content-type': 'application/json' } } : {};
      for (const url of addresses)
        seen.push([`${route.method} ${url}`.slice(0, 120), await statusOf(route, url, body)]);
      for (const one of headers) {
        seen.push([
          `${route.path} ${JSON.stringify(one).slice(0, 60)}`,
          await statusOf(route, address, { ...body, headers: { ...body.headers, ...one } }),
        ]);
      }
    }
    expect(seen.length).toBeGreaterThan(300);
    expect(seen.filter(([, status]) => status >= 500)).toEqual([]);
  }, 180_000);

  it('tells the line and column of a mistake in a policy', async () => {
    const payload = 'policy: x\ngates:\n  - gate: nope\n';
    const answer = await here.ask('max', 'POST', '/v1/policies', { payload, headers: { 'content-type': 'text/yaml' } });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      code: 'policy_invalid',
      errors: [{ pointer: '/source#line=1,column=9' }, { pointer: '/source#line=3,column=11' }],
    });
  });
});
