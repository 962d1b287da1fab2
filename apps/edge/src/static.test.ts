import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import {
  dataFolder,
  type EdgeProcess,
  type FakeApi,
  laneOf,
  raw,
  type Reply,
  startEdge,
  startFakeApi,
  until,
  untilServed,
  visit,
} from './rig.ts';
import { bareVisitor } from './streaming-fixture.ts';

let api: FakeApi;
let edge: EdgeProcess;
const folder = dataFolder();
const host = 'site.localhost';
const html = { accept: 'text/html,*/*' };

beforeAll(async () => {
  api = await startFakeApi();
  edge = await startEdge(api.url, folder.path);
  const artifactDigest = api.store({
    'proviso.yaml': 'owner: secret',
    'server.mjs': 'never started',
    'dist/index.html': '<h1>front</h1>',
    'dist/docs/index.html': '<h1>docs</h1>',
    'dist/assets/index-B3x_k9dQ.js': 'let a',
    'dist/assets/hero-background.png': 'png',
    'dist/data.json': '{"a":1}',
    'dist/style.css': 'body{}',
    'dist/style.css.gz': gzipSync('body{}').toString('latin1'),
    'dist/.env': 'TOKEN=1',
    'dist/.git/config': 'x',
    'dist/.well-known/security.txt': 'mail',
    'dist/naïve file.txt': 'naïve',
    'dist/big.bin': 'b'.repeat(9 * 1024 * 1024),
    'outside.txt': 'outside',
  });
  const contract = {
    kind: 'static',
    root: './dist/',
    health: { path: '/' },
    start: [],
    portEnvironment: 'PORT',
    environment: {},
  } as const;
  // Not trusted: files run nothing.
  const stable = { release: 'rel_site', artifactDigest, trusted: false, contract };
  api.lanes.set('site', laneOf('site', { stable }));
  const strict = { ...stable, release: 'rel_strict', contract: { ...contract, fallback: false } };
  api.lanes.set('strict', laneOf('strict', { stable: strict }));
  await untilServed(edge.port, host, { status: 200 });
  await untilServed(edge.port, 'strict.localhost', { status: 200 });
}, 30_000);

afterAll(async () => {
  await edge.end('SIGTERM');
  await api.close();
  folder.remove();
}, 30_000);

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  return visit(edge.port, { host, path, headers, method });
}

test.each([
  ['/', 200, 'text/html; charset=utf-8', 'no-cache', '<h1>front</h1>'],
  ['/index.html?x=1', 200, 'text/html; charset=utf-8', 'no-cache', '<h1>front</h1>'],
  ['/docs/', 200, 'text/html; charset=utf-8', 'no-cache', '<h1>docs</h1>'],
  ['/data.json', 200, 'application/json; charset=utf-8', 'no-cache', '{"a":1}'],
  ['/assets/index-B3x_k9dQ.js', 200, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable', 'let a'],
  ['/assets/hero-background.png', 200, 'image/png', 'no-cache', 'png'],
  ['/.well-known/security.txt', 200, 'text/plain; charset=utf-8', 'no-cache', 'mail'],
  ['/na%C3%AFve%20file.txt', 200, 'text/plain; charset=utf-8', 'no-cache', 'naïve'],
  ['/a/page/of/the/app', 200, 'text/html; charset=utf-8', 'no-cache', '<h1>front</h1>'],
])('%s answers %d as %s, %s', async (path, status, type, cacheControl, text) => {
  const reply = await get(path, html);
  expect([reply.status, reply.headers['content-type'], reply.headers['cache-control'], reply.text]).toEqual([
    ...[status, type, cacheControl, text],
  ]);
});

test('a folder without its slash is sent to the one with it', async () => {
  const reply = await get('/docs?x=1', html);
  expect([reply.status, reply.headers.location]).toEqual([308, '/docs/?x=1']);
});

test.each([
  '/missing.js',
  '/.env',
  '/.git/config',
  '/proviso.yaml',
  '/outside.txt',
  '/../outside.txt',
  '/..%2foutside.txt',
  '/%2e%2e/outside.txt',
  '/%2e%2e%2foutside',
  '/..%5coutside',
  '/\\..\\outside',
  '/index.html%00',
  '/a%00b',
  '//etc/passwd.txt',
  '/docs/../.env',
  '/%252e%252e/outside.txt',
])('%s is nothing, not even the front page', async (path) => {
  const reply = await get(path, html);
  expect(reply.status).toBe(404);
  expect(reply.text).not.toMatch(/front|outside\n|TOKEN|secret/);
});

test('who asks for data and not for a page is told that there is none, and a site may want that for all', async () => {
  expect((await get('/api/users', { accept: 'application/json' })).status).toBe(404);
  expect((await visit(edge.port, { host: 'strict.localhost', path: '/page', headers: html })).status).toBe(404);
});

test('a path that cannot be decoded is 400, and writing is 405 with what is allowed', async () => {
  expect((await get('/%ff%')).status).toBe(400);
  const reply = await visit(edge.port, { host, method: 'POST', body: 'x'.repeat(100_000) });
  expect([reply.status, reply.headers.allow]).toEqual([405, 'GET, HEAD']);
  expect((await get('/', {}, 'DELETE')).status).toBe(405);
});

test('what a visitor has already is not sent again', async () => {
  const { etag = '' } = (await get('/data.json')).headers;
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const reply = await get('/data.json', { 'if-none-match': known });
    expect([reply.status, reply.text, reply.headers.etag]).toEqual([304, '', etag]);
  }
  expect((await get('/data.json', { 'if-none-match': '"other"' })).status).toBe(200);
});

test.each([
  ['bytes=0-2', 206, '{"a', 'bytes 0-2/7'],
  ['bytes=4-', 206, ':1}', 'bytes 4-6/7'],
  ['bytes=-2', 206, '1}', 'bytes 5-6/7'],
  ['bytes=-99', 206, '{"a":1}', 'bytes 0-6/7'],
  ['bytes=7-', 416, undefined, 'bytes */7'],
  ['bytes=-0', 416, undefined, 'bytes */7'],
  ['bytes=3-1', 200, '{"a":1}', undefined],
  ['bytes=0-1,3-4', 200, '{"a":1}', undefined],
  ['lines=1-2', 200, '{"a":1}', undefined],
])('the range %s answers %d', async (range, status, text, contentRange) => {
  const reply = await get('/data.json', { range });
  expect([reply.status, reply.headers['content-range']]).toEqual([status, contentRange]);
  if (text !== undefined) expect(reply.text).toBe(text);
});

test('a part of what has changed meanwhile is all of it', async () => {
  expect((await get('/data.json', { range: 'bytes=0-1', 'if-range': '"old"' })).status).toBe(200);
});

test('HEAD tells the same and sends nothing', async () => {
  const [head, whole] = [await get('/data.json', {}, 'HEAD'), await get('/data.json')];
  expect([head.status, head.text]).toEqual([200, '']);
  for (const name of ['content-length', 'content-type', 'etag', 'cache-control'])
    expect(head.headers[name]).toBe(whole.headers[name]);
});

test('a compressed sibling goes to those who can read it, under a tag of its own', async () => {
  const [plain, packed] = [await get('/style.css'), await get('/style.css', { 'accept-encoding': 'br;q=0, gzip' })];
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
  expect(packed.headers['content-type']).toBe(plain.headers['content-type']);
  expect(packed.headers.etag).not.toBe(plain.headers.etag);
  const refused = await get('/style.css', { 'accept-encoding': 'gzip;q=0' });
  expect(refused.text).toBe('body{}');
});

test('a large file comes whole, at the pace of its reader, and a reader who leaves harms nobody', async () => {
  expect((await get('/big.bin')).text).toHaveLength(9 * 1024 * 1024);
  const leaving = bareVisitor(edge.port, `GET /big.bin HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  await until('its first bytes', () => leaving.heard().length > 0);
  leaving.socket.destroy();
  const slow = await new Promise<number>((resolve, reject) => {
    httpRequest({ port: edge.port, path: '/big.bin', headers: { host } }, (answer) => {
      let sizeBytes = 0;
      answer.once('readable', () =>
        answer.on('data', (part: Buffer) => {
          sizeBytes += part.length;
        }),
      );
      answer.on('end', () => resolve(sizeBytes)).on('error', reject);
    }).end();
  });
  expect(slow).toBe(9 * 1024 * 1024);
  expect(await raw(edge.port, `GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`)).toContain('200');
});
