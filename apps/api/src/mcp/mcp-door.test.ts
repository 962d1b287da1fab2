import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Deployment, atApproval, listening, openDeployment, pick, pickText } from '../deployment.contract.ts';
import { signedIn } from '../browser.contract.ts';
import { type Agent, addAgent } from './agent.contract.ts';
import { toolHeader } from './tool-mark.ts';

let here: Deployment;
let url: string;
let agent: Agent;

beforeAll(async () => {
  here = await openDeployment();
  url = await listening(here);
  agent = await addAgent(here);
});

afterAll(async () => {
  await here.close();
});

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

interface Sent {
  readonly body?: unknown;
  readonly raw?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request over a real socket, with any header: `fetch` would not let go of its own host. */
async function sent({ body = list, raw, method = 'POST', headers = {} }: Sent = {}) {
  const usual = { accept: 'application/json, text/event-stream', authorization: `Bearer ${agent.token}` };
  const type = method === 'POST' ? { 'content-type': 'application/json' } : {};
  return await new Promise<{ status: number; type: string; body: unknown; headers: object }>((resolve, reject) => {
    const asked = request(`${url}/mcp`, { method, headers: { ...usual, ...type, ...headers } }, (answer) => {
      const { statusCode: status = 0, headers: told } = answer;
      void text(answer).then((read) => {
        const isJson = String(told['content-type']).includes('json');
        resolve({
          status,
          type: String(told['content-type']).split(';')[0] ?? '',
          body: isJson ? JSON.parse(read) : read,
          headers: told,
        });
      }, reject);
    });
    asked.on('error', reject);
    asked.end(method === 'POST' ? (raw ?? JSON.stringify(body)) : undefined);
  });
}

async function refused(order: Sent): Promise<readonly unknown[]> {
  const { status, body } = await sent(order);
  return [status, pick(body, 'code')];
}

describe('the door of agents', () => {
  it('answers in JSON, and opens no session', async () => {
    const { status, type, body, headers } = await sent();
    expect([status, type]).toEqual([200, 'application/json']);
    expect(pick(body, 'result', 'tools', 0, 'name')).toBe('list_promotions');
    expect(headers).not.toHaveProperty('mcp-session-id');
    expect((await sent({ body: { jsonrpc: '2.0', method: 'notifications/initialized' } })).status).toBe(202);
  });

  it('lets in agents alone, by a token', async () => {
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    expect(await refused({ headers: { authorization: '' } })).toEqual([401, 'unauthenticated']);
    expect(await refused({ headers: bearer(`prv_${'x'.repeat(43)}`) })).toEqual([401, 'unauthenticated']);
    for (const actor of ['bea', 'ada', 'max', 'nil'] as const) {
      const answer = await sent({ headers: bearer(here.tokens[actor]) });
      expect([actor, answer.status, pick(answer.body, 'rule')]).toEqual([actor, 403, 'agents_only']);
    }
    const added = await here.post('ada', '/v1/people', { name: 'CI', kind: 'service', actsFor: here.people.olga });
    const id = pickText(added.body, 'id');
    const issued = await here.post('ada', `/v1/people/${id}/tokens`, { scopes: ['read'] });
    expect(await refused({ headers: bearer(pickText(issued.body, 'token')) })).toEqual([403, 'not_permitted']);
    const blind = await addAgent(here, { roles: [] });
    expect(await refused({ headers: bearer(blind.token) })).toEqual([403, 'not_permitted']);
    const narrow = await addAgent(here, { scopes: ['build'] });
    expect(await refused({ headers: bearer(narrow.token) })).toEqual([403, 'scope_missing']);
  });

  it('lets in no browser that is signed in', async () => {
    const browser = await signedIn(here, 'max');
    expect((await browser.get('/mcp')).status).toBe(401);
  });

  it('knows no agent of nobody, and gives none a whole token', async () => {
    const orphan = await here.post('ada', '/v1/people', { name: 'Stray', kind: 'agent' });
    expect(orphan.body).toMatchObject({ status: 422, errors: [{ pointer: '/actsFor' }] });
    const whole = await here.post('ada', `/v1/people/${agent.id}/tokens`, {});
    expect(whole.body).toMatchObject({ status: 422, code: 'scopes_required' });
  });

  it('is closed to names that are made to lead here, and to pages of others', async () => {
    const port = new URL(url).port;
    const others = ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '127.0.0.1@evil.example'];
    for (const host of [...others, '[::2]', 'a b', '127.0.0.1:99999999'])
      expect([host, ...(await refused({ headers: { host } }))]).toEqual([host, 403, 'cross_site']);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, 'LOCALHOST'])
      expect([host, (await sent({ headers: { host } })).status]).toEqual([host, 200]);
    for (const origin of ['https://evil.example', 'null', `http://localhost:${port}`])
      expect([origin, ...(await refused({ headers: { origin } }))]).toEqual([origin, 403, 'cross_site']);
    expect((await sent({ headers: { origin: 'http://127.0.0.1:7070' } })).status).toBe(200);
    // Before anything is said about a token.
    expect(await refused({ headers: { authorization: '', host: 'evil.example' } })).toEqual([403, 'cross_site']);
  });

  it('says by name what it does not take', async () => {
    expect(await refused({ headers: { 'content-type': 'text/plain' } })).toEqual([415, 'unsupported_media_type']);
    expect(await refused({ raw: '{' })).toEqual([400, 'malformed_request']);
    expect(await refused({ raw: `{"jsonrpc":"2.0","x":"${'x'.repeat(1_100_000)}"}` })).toEqual([413, 'too_large']);
    expect(await refused({ headers: { 'mcp-session-id': 'one' } })).toEqual([404, 'not_found']);
    for (const body of [null, 7, 'tools/list', {}, { jsonrpc: '1.0' }, [list], [list, list]])
      expect([body, ...(await refused({ body }))]).toEqual([body, 422, 'invalid']);
    const get = await sent({ method: 'GET' });
    expect([get.status, pick(get.body, 'code'), pick(get.headers, 'allow')]).toEqual([
      405,
      'method_not_allowed',
      'POST',
    ]);
    expect((await sent({ method: 'DELETE' })).status).toBe(404);
    expect((await sent({ headers: { accept: 'text/html' } })).status).toBe(406);
  });

  it('takes no name of an object’s own for a tool, a field or an argument', async () => {
    const called = async (params: string) => {
      const raw = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
      const { status, body } = await sent({ raw });
      return [params, status, pick(body, 'error', 'code') ?? pick(body, 'result', 'isError') ?? pick(body, 'code')];
    };
    for (const name of ['constructor', '__proto__', 'toString', 'approve', ''])
      expect(await called(`{"name":"${name}","arguments":{}}`)).toEqual([expect.anything(), 200, -32_602]);
    for (const [args, ...told] of [
      ['{"__proto__":{"promotion":"prm_1"}}', 400, 'malformed_request'],
      [String.raw`{"\u005f_proto__":{"promotion":"prm_1"}}`, 400, 'malformed_request'],
      ['{"constructor":{"prototype":{"kind":"human"}}}', 400, 'malformed_request'],
      ['{"promotion":{"__proto__":{"a":1}},"reason":"x"}', 400, 'malformed_request'],
      [`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`, 200, true],
      ['[]', 200, -32_602],
      ['7', 200, -32_602],
    ] as const)
      expect((await called(`{"name":"roll_back","arguments":${args}}`)).slice(1)).toEqual(told);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('answers what the protocol has and we have not with an error of the protocol, and never with a stream', async () => {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const ask = async (method: string, more: object = {}) => {
      const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
      return await sent({ body: { ...list, method, params: { _meta: meta, ...more } }, headers: modern });
    };
    const listening = await ask('subscriptions/listen', { notifications: { toolsListChanged: true } });
    expect([listening.type, typeof pick(listening.body, 'error', 'code')]).toEqual(['application/json', 'number']);
    for (const method of ['resources/list', 'prompts/get', 'constructor', '__proto__', 'sampling/createMessage']) {
      for (const answer of [await ask(method), await sent({ body: { ...list, method } })]) {
        expect([method, answer.type]).toEqual([method, 'application/json']);
        expect([method, pick(answer.body, 'error', 'code')]).toEqual([method, -32_601]);
        expect(JSON.stringify(answer.body)).not.toMatch(/\bat .*\.[mc]?[jt]s/);
      }
    }
  });

  it('never lets a request from outside say that a tool made it', async () => {
    const { promotion } = await atApproval(here, 'forged');
    const headers = { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' };
    for (const mark of ['roll_back', 'x roll_back', ` roll_back`, 'undefined roll_back']) {
      const sentBy = { ...headers, [toolHeader]: mark };
      const body = JSON.stringify({ reason: 'by hand' });
      await fetch(`${url}/v1/promotions/${promotion}/pause`, { method: 'POST', headers: sentBy, body });
      await fetch(`${url}/v1/promotions/${promotion}/rollback`, { method: 'POST', headers: sentBy, body });
    }
    const reads = here.parts.journal.reads(here.workspace);
    const entries = await Promise.all([
      reads.history({ stream: 'log', id: 'refusals', limit: 1_000 }),
      reads.history({ stream: 'promotion', id: promotion, limit: 1_000 }),
    ]);
    const told = entries.flat().map(({ bytes }) => JSON.parse(bytes) as unknown);
    const own = told.filter((entry) => pick(entry, 'actor', 'pid') === agent.id);
    expect(own.length).toBeGreaterThan(0);
    expect(new Set(own.map((entry) => pick(entry, 'actor', 'authn')))).toContain('token/rest');
    expect(JSON.stringify(own)).not.toContain('token/mcp/undefined');
    const forged = own.filter((entry) => String(pick(entry, 'actor', 'authn')).startsWith('token/mcp/'));
    expect(forged).toEqual([]);
  });
});
