import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPublicAddress } from './egress-address.ts';
import { type EgressOptions, type EgressProxy, openEgressProxy } from './egress-proxy.ts';
import { findIsolation } from './isolation.ts';
import { newBench } from './sandbox-bench.ts';
import { egressSocketOf } from './sandbox.ts';

// A real proxy, real sandboxes and a real server that stands for the internet: the resolver gives it a public address,
// and the dialling leads there.

const folder = mkdtempSync(join(tmpdir(), 'proviso-egress-'));
const bench = newBench();
const proxies: EgressProxy[] = [];
let internet: Server;
let port: number;

beforeAll(async () => {
  internet = createServer((asked, answer) => answer.end(`${asked.headers.host} ${asked.url}`));
  await new Promise<void>((resolve) => {
    internet.listen(0, '127.0.0.1', resolve);
  });
  port = (internet.address() as AddressInfo).port;
});
afterAll(async () => {
  await bench.clear();
  for (const proxy of proxies) await proxy.close();
  internet.close();
  rmSync(folder, { recursive: true });
});

let opened = 0;
async function proxyOn(socketPath: string, options: Partial<EgressOptions> = {}): Promise<EgressProxy> {
  const proxy = await openEgressProxy({
    socketPath,
    hosts: ['api.example.com', 'odd.example.com:8443'],
    resolve: () => Promise.resolve(['93.184.215.14']),
    dial: () => connect({ host: '127.0.0.1', port }),
    ...options,
  });
  proxies.push(proxy);
  return proxy;
}

function newSocketPath(): string {
  opened += 1;
  return join(folder, `${opened}.sock`);
}

function statusOf(socketPath: string, asked: { method: string; path: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, agent: false, ...asked });
    asking.on('connect', (answer, socket) => {
      socket.destroy();
      resolve(answer.statusCode ?? 0);
    });
    asking.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asking.on('error', reject).end();
  });
}

test('declared hosts are reached in both forms, all others are refused, and each request is counted', async () => {
  const path = newSocketPath();
  const proxy = await proxyOn(path);
  const asked = [
    ['CONNECT', 'api.example.com:443', 200],
    ['CONNECT', 'API.example.com.:443', 200],
    ['GET', 'http://api.example.com/hello', 200],
    ['CONNECT', 'odd.example.com:8443', 200],
    ['CONNECT', 'odd.example.com:443', 403],
    ['CONNECT', 'api.example.com:22', 403],
    ['CONNECT', 'evil.example.com:443', 403],
    ['CONNECT', 'api.example.com.evil.org:443', 403],
    ['CONNECT', 'evil.org:443', 403],
    ['GET', 'http://evil.org/?q=secret', 403],
    ['GET', '/relative', 400],
    ['GET', 'ftp://api.example.com/', 400],
  ] as const;
  for (const [method, target, status] of asked) {
    expect([target, await statusOf(path, { method, path: target })]).toEqual([target, status]);
  }
  expect(proxy.counts()).toEqual(
    expect.arrayContaining([
      { host: 'api.example.com:443', declared: true, requests: 2 },
      { host: 'api.example.com:80', declared: true, requests: 1 },
      { host: 'evil.org:443', declared: false, requests: 1 },
      { host: 'evil.org:80', declared: false, requests: 1 },
    ]),
  );
});

test('a declared name that leads to the inside is not followed, and the connection goes to the address that was checked', async () => {
  const inside = [
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '::1',
    '::ffff:127.0.0.1',
    'fd00::1',
    'fe80::1',
    '0.0.0.0',
  ];
  for (const address of inside) {
    const path = newSocketPath();
    await proxyOn(path, { resolve: () => Promise.resolve(['93.184.215.14', address]) });
    expect([address, await statusOf(path, { method: 'CONNECT', path: 'api.example.com:443' })]).toEqual([address, 502]);
    expect(await statusOf(path, { method: 'GET', path: 'http://api.example.com/' })).toBe(502);
  }
  const dialled: unknown[] = [];
  const path = newSocketPath();
  await proxyOn(path, {
    dial: (target) => {
      dialled.push(target);
      return connect({ host: '127.0.0.1', port });
    },
  });
  await statusOf(path, { method: 'CONNECT', path: 'api.example.com:443' });
  expect(dialled).toEqual([{ host: '93.184.215.14', port: 443 }]);
});

test('where an operator has named the hosts they may lead anywhere, a mirror inside included, and nothing else may', async () => {
  const path = newSocketPath();
  const dialled: unknown[] = [];
  const proxy = await proxyOn(path, {
    anyAddress: true,
    resolve: (name) => Promise.resolve(name === 'api.example.com' ? ['10.1.2.3'] : []),
    dial: (target) => {
      dialled.push(target);
      return connect({ host: '127.0.0.1', port });
    },
  });
  expect(await statusOf(path, { method: 'CONNECT', path: 'api.example.com:443' })).toBe(200);
  expect(await statusOf(path, { method: 'GET', path: 'http://api.example.com/' })).toBe(200);
  // The address itself was named by nobody, nor is another port of the mirror, nor what its name does not lead to.
  expect(await statusOf(path, { method: 'CONNECT', path: '10.1.2.3:443' })).toBe(403);
  expect(await statusOf(path, { method: 'CONNECT', path: '169.254.169.254:80' })).toBe(403);
  expect(await statusOf(path, { method: 'CONNECT', path: 'api.example.com:5432' })).toBe(403);
  expect(await statusOf(path, { method: 'CONNECT', path: 'odd.example.com:8443' })).toBe(502);
  expect(dialled).toEqual([
    { host: '10.1.2.3', port: 443 },
    { host: '10.1.2.3', port: 80 },
  ]);
  expect(proxy.counts()).toContainEqual({ host: '10.1.2.3:443', declared: false, requests: 1 });
});

test('names beyond the bound are counted together', async () => {
  const path = newSocketPath();
  const proxy = await proxyOn(path);
  for (let number = 0; number < 120; number += 1) {
    await statusOf(path, { method: 'CONNECT', path: `host${number}.example.org:443` });
  }
  expect(proxy.counts()).toHaveLength(101);
  expect(proxy.counts().at(-1)).toEqual({ host: 'other hosts', declared: false, requests: 20 });
});

test.each(['bubblewrap', 'namespace'] as const)(
  'a sandbox made by %s reaches a declared host through its proxy, with nothing but what Node offers, and no other',
  async (way) => {
    const isolation = await findIsolation({ way });
    const source = `for (const url of ['http://api.example.com/hello', 'http://evil.org/'])
      console.log(await fetch(url).then(async (answer) => [answer.status, await answer.text()].join(' '), (error) => 'error ' + (error.cause?.message ?? error.message)));`;
    const trial = await bench.start(isolation, { 'main.mjs': source }, { egress: true });
    const proxy = await proxyOn(egressSocketOf(trial.runFolder));
    await trial.sandbox.exited;
    expect(trial.output()).toMatch(/^200 api.example.com(:80)? \/hello\n/);
    expect(trial.output()).not.toContain('evil.org /');
    expect(proxy.counts()).toContainEqual({ host: 'api.example.com:80', declared: true, requests: 1 });
    expect(proxy.counts()).toContainEqual({ host: 'evil.org:80', declared: false, requests: 1 });
  },
);

test.each([
  ['93.184.215.14', true],
  ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', true],
  ['172.15.255.255', true],
  ['172.16.0.0', false],
  ['100.100.100.200', false],
  ['192.168.1.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::ffff:169.254.169.254', false],
  ['64:ff9b::a9fe:a9fe', false],
  ['2002:7f00:1::', false],
  ['ff02::1', false],
  ['fd00:ec2::254', false],
  ['localhost', false],
])('%s is public: %s', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});

test('it also listens in a folder whose path is longer than a socket may have', async () => {
  const deep = join(folder, 'd'.repeat(60), 'e'.repeat(60));
  const proxy = await proxyOn(join(deep, 'out.sock'));
  const place = openSync(deep, 'r');
  const near = `/proc/self/fd/${place}/out.sock`;
  expect(await statusOf(near, { method: 'GET', path: 'http://api.example.com/' })).toBe(200);
  closeSync(place);
  await proxy.close();
  await proxy.close();
});
