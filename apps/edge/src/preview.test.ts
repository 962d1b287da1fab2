import { createHmac } from 'node:crypto';
import { type PreviewPass, previewPassText, previewPath } from '@proviso/domain';
import { GATE_HEADER, gatePassOf } from '@proviso/targets';
import {
  CONTROL_TOKEN,
  dataFolder,
  type EdgeProcess,
  type FakeApi,
  laneOf,
  type Reply,
  releaseOf,
  startEdge,
  startFakeApi,
  until,
  visit,
} from './rig.ts';

const key = 'ab'.repeat(32);
const host = 'staging.desk.localhost';
const person = `psn_${'1'.repeat(32)}` as const;
const gate = { [GATE_HEADER]: gatePassOf(CONTROL_TOKEN) };
const folder = dataFolder();
let api: FakeApi;
let edge: EdgeProcess;
let count = 0;

beforeAll(async () => {
  api = await startFakeApi();
  api.lanes.set('desk', {
    ...laneOf('desk', { stable: releaseOf(api, 'desk') }),
    ...{ environment: 'staging', hosts: [host] },
  });
  edge = await startEdge(api.url, folder.path, { PROVISO_PREVIEW_KEY: key });
  await until('staging', async () => (await visit(edge.port, { host, headers: gate })).status === 200);
}, 30_000);

afterAll(async () => {
  await edge.end('SIGTERM');
  await api.close();
  folder.remove();
});

/** A link as the API signs it, with whatever a test wants to be different. */
function linkWith(change: Partial<PreviewPass> = {}, signedWith = key): string {
  count += 1;
  const nonce = `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`;
  const now = Date.now();
  const pass = { use: 'link', host, person, issuedAt: now, expiresAt: now + 60_000, nonce, ...change } as const;
  const text = previewPassText(pass);
  const mac = createHmac('sha256', Buffer.from(signedWith, 'hex')).update(text).digest('hex');
  return `${previewPath}?token=${text}~${mac}`;
}

const cookieOf = (reply: Reply): string => String(reply.headers['set-cookie']).split(';')[0] ?? '';

test('without an invitation staging says whom it is for, to people and to programs', async () => {
  const page = await visit(edge.port, { host, headers: { accept: 'text/html' } });
  expect([page.status, page.headers['x-proviso-page']]).toEqual([401, 'preview_only']);
  expect(page.text).toContain('This preview is for the people who decide.');
  const json = await visit(edge.port, { host, path: '/api', headers: { accept: 'application/json' } });
  expect([json.status, JSON.parse(json.text)]).toMatchObject([401, { code: 'preview_only' }]);
});

test('a link opens once, leads to the top of the same host, and the prototype sees neither link nor cookie', async () => {
  const path = linkWith();
  const first = await visit(edge.port, { host, path });
  expect(first).toMatchObject({ status: 303, text: '' });
  expect(first.headers).toMatchObject({ location: '/', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' });
  expect(String(first.headers['set-cookie'])).toMatch(/; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax/);
  const cookie = cookieOf(first);
  const seen = await visit(edge.port, { host, path: '/look', headers: { cookie: `own=1; ${cookie}` } });
  expect(seen.status).toBe(200);
  expect(JSON.parse(seen.text)).toMatchObject({ url: '/look', headers: { cookie: 'own=1' } });
  expect(seen.text).not.toContain('proviso_preview');
  expect((await visit(edge.port, { host, path })).status).toBe(401);
  expect((await visit(edge.port, { host, path, headers: { cookie } })).headers.location).toBe('/');
});

test.each<[string, () => string]>([
  ['for another host', () => linkWith({ host: 'staging.other.localhost' })],
  ['that is over', () => linkWith({ expiresAt: Date.now() - 1 })],
  ['from before the edge began', () => linkWith({ issuedAt: Date.now() - 3_600_000 })],
  ['signed with another key', () => linkWith({}, 'cd'.repeat(32))],
  ['that is a session', () => linkWith({ use: 'session' })],
  ['with a longer time written into it', () => linkWith().replace(/~(\d+)~(\d+)~/, '~$1~9999999999999~')],
  ['with a way out', () => `${linkWith()}&to=https://elsewhere.example`],
  ['without a token', () => previewPath],
])('a link %s opens nothing', async (_what, path) => {
  const reply = await visit(edge.port, { host, path: path() });
  expect([reply.status, reply.headers['set-cookie'], reply.headers.location]).toEqual([401, undefined, undefined]);
});

test('a link is no session, and a session is none on another host', async () => {
  const token = linkWith().split('token=')[1];
  const asSession = { cookie: `proviso_preview=${token}` };
  expect((await visit(edge.port, { host, headers: asSession })).status).toBe(401);
  const opened = await visit(edge.port, { host, path: linkWith() });
  api.lanes.set('other', { ...laneOf('other', {}), environment: 'staging', hosts: ['staging.other.localhost'] });
  const other = { host: 'staging.other.localhost', headers: { cookie: cookieOf(opened) } };
  await until('the other lane', async () => (await visit(edge.port, other)).status === 401);
});

test('a person who was shut out is out within a poll, with their session and their links; others look on', async () => {
  const cookie = cookieOf(await visit(edge.port, { host, path: linkWith() }));
  const other = {
    cookie: cookieOf(await visit(edge.port, { host, path: linkWith({ person: `psn_${'2'.repeat(32)}` }) })),
  };
  expect((await visit(edge.port, { host, headers: { cookie } })).status).toBe(200);
  api.shutOut.add(person);
  await until('shut out', async () => (await visit(edge.port, { host, headers: { cookie } })).status === 401);
  expect((await visit(edge.port, { host, path: linkWith() })).status).toBe(401);
  expect((await visit(edge.port, { host, headers: other })).status).toBe(200);
  api.shutOut.clear();
  await until('let in', async () => (await visit(edge.port, { host, headers: { cookie } })).status === 200);
});

test("a gate comes in by its pass, which is nobody else's and which no prototype sees", async () => {
  const seen = await visit(edge.port, { host, headers: gate });
  expect(seen.status).toBe(200);
  expect(seen.text).not.toContain(gate[GATE_HEADER]);
  expect((await visit(edge.port, { host, headers: { [GATE_HEADER]: CONTROL_TOKEN } })).status).toBe(401);
});

test('no token of a link or session is in the log', async () => {
  const path = linkWith();
  const cookie = cookieOf(await visit(edge.port, { host, path }));
  await visit(edge.port, { host, headers: { cookie } });
  const said = edge.said();
  expect(said).toContain('edge.started');
  for (const secret of [path.split('~').at(-1) ?? '', cookie.split('~').at(-1) ?? ''])
    expect(said).not.toContain(secret);
});
