import { connect } from 'node:net';
import { localTarget } from '@proviso/targets';
import {
  CONTROL_TOKEN,
  dataFolder,
  type EdgeProcess,
  type FakeApi,
  laneOf,
  raw,
  releaseOf,
  startEdge,
  startFakeApi,
  until,
  untilServed,
  visit,
} from './rig.ts';

// Real processes on a busy machine; every wait inside has its own, shorter bound.

let api: FakeApi;
let edge: EdgeProcess;
const folder = dataFolder();

beforeAll(async () => {
  api = await startFakeApi();
  edge = await startEdge(api.url, folder.path);
});

afterAll(async () => {
  await edge.end('SIGTERM');
  await api.close();
  folder.remove();
});

function target() {
  return localTarget({ controlUrl: edge.controlUrl, token: CONTROL_TOKEN, fetchTimeoutMs: 5_000 });
}

function untilWeight(lane: string, weightPercent: number) {
  return until(
    `${lane} at ${weightPercent} %`,
    async () =>
      (
        await target()
          .counts(lane)
          .catch(() => null)
      )?.weightPercent === weightPercent,
  );
}

test('splits units by weight, keeps each on its side, and a larger weight only adds to the canary', async () => {
  const parts = { stable: releaseOf(api, 'split-a'), canary: releaseOf(api, 'split-b'), leaseRemainingMs: 30_000 };
  const host = 'split.localhost';
  const sides = async (): Promise<Map<number, string>> => {
    const replies = await Promise.all(
      Array.from(
        { length: 600 },
        async (_, unit) => [unit, await visit(edge.port, { host, headers: { 'x-proviso-unit': `u${unit}` } })] as const,
      ),
    );
    return new Map(replies.map(([unit, reply]) => [unit, String(reply.headers['x-name'])]));
  };
  const inCanary = (of: Map<number, string>): number[] =>
    [...of].filter(([, name]) => name === 'split-b').map(([unit]) => unit);
  api.lanes.set('split', laneOf('split', { ...parts, weightPercent: 20 }));
  await untilServed(edge.port, host, { status: 200, name: 'split-a' });
  await untilWeight('split', 20);
  const first = await sides();
  expect(await sides()).toEqual(first);
  // 600 units at 0.2: 120 expected, standard deviation 9.8; the units are fixed, so this never flickers.
  expect(inCanary(first).length).toBeGreaterThan(80);
  expect(inCanary(first).length).toBeLessThan(160);
  api.lanes.set('split', laneOf('split', { ...parts, weightPercent: 50, fence: { incarnation: 1, counter: 2 } }));
  await untilWeight('split', 50);
  const later = inCanary(await sides());
  expect(later).toEqual(expect.arrayContaining(inCanary(first)));
  expect(later.length).toBeGreaterThan(250);
});

test('a visitor without a name gets a cookie that keeps its side and never reaches the release', async () => {
  const stable = releaseOf(api, 'cookie-a');
  const host = 'cookie.localhost';
  api.lanes.set(
    'cookie',
    laneOf('cookie', { stable, canary: releaseOf(api, 'cookie-b'), weightPercent: 50, leaseRemainingMs: 30_000 }),
  );
  await untilServed(edge.port, host, { status: 200, name: 'cookie-a' });
  await untilWeight('cookie', 50);
  const first = await visit(edge.port, { host, path: '/cookie' });
  const cookies = first.headers['set-cookie'] ?? [];
  expect(cookies.filter((cookie) => cookie.startsWith('proviso_unit='))).toHaveLength(1);
  expect(cookies).toContain('own=1');
  const unit = cookies.find((cookie) => cookie.startsWith('proviso_unit='))?.split(';')[0] ?? '';
  expect(unit).not.toContain('forged');
  for (let round = 0; round < 10; round += 1) {
    const again = await visit(edge.port, { host, headers: { cookie: `${unit}; own=1` } });
    expect(again.headers['x-name']).toBe(first.headers['x-name']);
    expect(again.headers['set-cookie']).toBeUndefined();
    expect(JSON.parse(again.text).headers.cookie).toBe('own=1');
  }
});

test('a first release shows "not open yet" to the others, and a closed lane shows our page', async () => {
  const canary = releaseOf(api, 'first');
  const host = 'first.localhost';
  api.lanes.set('first', laneOf('first', { canary, weightPercent: 30, leaseRemainingMs: 30_000 }));
  await until('the lane', async () => (await visit(edge.port, { host })).status !== 404);
  await untilWeight('first', 30);
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, unit) => visit(edge.port, { host, headers: { 'x-proviso-unit': `u${unit}` } })),
  );
  const turnedAway = replies.filter((reply) => reply.headers['x-proviso-page'] === 'not_open');
  expect(turnedAway.every((reply) => reply.status === 503 && reply.headers['retry-after'] === '30')).toBe(true);
  expect(replies.length - turnedAway.length).toBe(
    replies.filter((reply) => reply.headers['x-name'] === 'first').length,
  );
  expect(turnedAway.length).toBeGreaterThan(110);
  expect(turnedAway.length).toBeLessThan(170);
  expect((await target().counts('first')).turnedAway).toBeGreaterThanOrEqual(turnedAway.length);
  api.lanes.set(
    'first',
    laneOf('first', { canary, weightPercent: 0, fence: { incarnation: 1, counter: 2 }, closed: true }),
  );
  await until('closed', async () => (await visit(edge.port, { host })).headers['x-proviso-page'] === 'closed');
});

test('counts exactly what happened, per arm and unit, and begins anew with a new fence', async () => {
  const host = 'counted.localhost';
  const parts = {
    stable: releaseOf(api, 'counted-a'),
    canary: releaseOf(api, 'counted-b'),
    weightPercent: 50,
    leaseRemainingMs: 30_000,
  };
  api.lanes.set('counted', laneOf('counted', parts));
  await untilServed(edge.port, host, { status: 200, name: 'counted-a' });
  await untilWeight('counted', 50);
  api.lanes.set('counted', laneOf('counted', { ...parts, fence: { incarnation: 1, counter: 2 } }));
  await until('the new fence', async () => (await target().counts('counted')).fence.counter === 2);
  const expected = {
    'counted-a': { requests: 0, bad: 0, units: new Set(), badUnits: new Set() },
    'counted-b': { requests: 0, bad: 0, units: new Set(), badUnits: new Set() },
  };
  const paths = ['/', '/?status=404', '/?status=500', '/?status=503', '/'];
  await Promise.all(
    Array.from({ length: 2_000 }, async (_, index) => {
      const unit = `u${index % 400}`;
      const path = paths[(index * 7 + (index >> 3)) % paths.length] ?? '/';
      const reply = await visit(edge.port, { host, path, headers: { 'x-proviso-unit': unit } });
      const arm = expected[reply.headers['x-name'] as keyof typeof expected];
      arm.requests += 1;
      arm.units.add(unit);
      if (reply.status >= 500) {
        arm.bad += 1;
        arm.badUnits.add(unit);
      }
    }),
  );
  const counts = await target().counts('counted');
  for (const [name, arm] of [
    ['counted-a', counts.stable],
    ['counted-b', counts.canary],
  ] as const) {
    const { requests, bad, units, badUnits } = expected[name];
    expect(arm).toMatchObject({
      requests,
      badEvents: bad,
      units: units.size,
      firstBadUnits: badUnits.size,
      aborted: 0,
    });
    expect(arm.latencyHistogram.reduce((sum, count) => sum + count, 0)).toBe(requests);
  }
  expect(counts.stable.requests + counts.canary.requests).toBe(2_000);
  expect(counts.saturated).toBe(false);
});

test('a release that cuts the line is a bad event, a visitor who leaves is not', async () => {
  const host = 'cut.localhost';
  api.lanes.set('cut', laneOf('cut', { stable: releaseOf(api, 'cut') }));
  await untilServed(edge.port, host, { status: 200, name: 'cut' });
  const before = (await target().counts('cut')).stable;
  expect((await visit(edge.port, { host, path: '/cut' })).headers['x-proviso-page']).toBe('release_failed');
  expect((await visit(edge.port, { host, path: '/cut', method: 'POST', body: 'some' })).status).toBe(502);
  // Also while the visitor is still sending: that the release hung up must not look as if the visitor had.
  const half = 'POST /cut HTTP/1.1\r\nhost: cut.localhost\r\ncontent-length: 1000\r\n\r\nhalf';
  expect(await raw(edge.port, half)).toContain('502');
  await expect(visit(edge.port, { host, path: '/break' })).rejects.toThrow(/aborted|hang up/);
  const socket = connect(edge.port, '127.0.0.1');
  socket.write('GET /hang HTTP/1.1\r\nhost: cut.localhost\r\n\r\n');
  await until(
    'the hanging request',
    async () => (await target().counts('cut')).stable.requests === before.requests + 5,
  );
  socket.destroy();
  const after = await until('the abort', async () => {
    const { stable } = await target().counts('cut');
    return stable.aborted === 1 && stable;
  });
  expect(after.badEvents - before.badEvents).toBe(4);
});

test('replaces forged origins, bounds bodies, and says what it does not serve', async () => {
  const host = 'headers.localhost';
  api.lanes.set('headers', laneOf('headers', { stable: releaseOf(api, 'headers') }));
  await untilServed(edge.port, host, { status: 200 });
  const forged = {
    'x-forwarded-for': '1.2.3.4',
    'x-forwarded-proto': 'https',
    forwarded: 'for=1.2.3.4',
    'x-secret': 'hop',
    connection: 'x-secret',
  };
  const seen = JSON.parse((await visit(edge.port, { host: 'HEADERS.localhost:99', headers: forged })).text).headers;
  expect(seen).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'HEADERS.localhost:99',
  });
  expect(seen.forwarded).toBe('for=127.0.0.1;host="HEADERS.localhost:99";proto=http');
  expect(seen['x-secret']).toBeUndefined();
  const body = 'x'.repeat(9 * 1024 * 1024);
  expect(JSON.parse((await visit(edge.port, { host, method: 'POST', body })).text).sizeBytes).toBe(body.length);
  expect((await visit(edge.port, { host, method: 'POST', headers: { 'content-length': '10485761' } })).status).toBe(
    413,
  );
  expect((await visit(edge.port, { host: 'nobody.localhost' })).status).toBe(404);
  expect(await raw(edge.port, 'CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n')).toContain('501');
  expect(await raw(edge.port, 'GET http://other.example/ HTTP/1.1\r\nhost: headers.localhost\r\n\r\n')).toContain(
    '400',
  );
  const long = `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
  expect(await raw(edge.port, long)).toContain('431');
});

test('ignores an order with an older fence and says so in its report', async () => {
  const host = 'fence.localhost';
  const newer = laneOf('fence', { stable: releaseOf(api, 'fence-new'), fence: { incarnation: 2, counter: 1 } });
  api.lanes.set('fence', newer);
  await untilServed(edge.port, host, { status: 200, name: 'fence-new' });
  const fence = { incarnation: 1, counter: 900 };
  api.lanes.set('fence', laneOf('fence', { stable: releaseOf(api, 'fence-old'), fence, closed: true }));
  const report = await until('a report of it', () => {
    const lane = api.reports.at(-1)?.lanes.find((each) => each.lane === 'fence');
    return lane?.ignoredFence !== undefined && lane;
  });
  expect(report).toMatchObject({ fence: newer.fence, ignoredFence: fence });
  expect((await visit(edge.port, { host })).headers['x-name']).toBe('fence-new');
});
