import { type AddressInfo, createServer } from 'node:net';
import { setInterval as ticks } from 'node:timers/promises';
import { type LaneCounts, localTarget, openUpstream } from '@proviso/targets';
import { openLaneTable } from './lane-table.ts';
import {
  CONTROL_TOKEN,
  dataFolder,
  type EdgeProcess,
  type FakeApi,
  laneOf,
  releaseOf,
  startEdge,
  startFakeApi,
  until,
  untilServed,
  visit,
} from './rig.ts';
import { openRouter } from './router.ts';
import { bareVisitor, frameOf, goingAway, handshakeOf, streamingSource } from './streaming-fixture.ts';

let api: FakeApi;
let edge: EdgeProcess;
const folder = dataFolder();

beforeAll(async () => {
  api = await startFakeApi();
  edge = await startEdge(api.url, folder.path);
}, 30_000);

afterAll(async () => {
  await edge.end('SIGTERM');
  await api.close();
  folder.remove();
}, 30_000);

function countsOf(lane: string): Promise<LaneCounts> {
  return localTarget({ controlUrl: edge.controlUrl, token: CONTROL_TOKEN, fetchTimeoutMs: 5_000 }).counts(lane);
}

async function serve(lane: string): Promise<string> {
  api.lanes.set(lane, laneOf(lane, { stable: releaseOf(api, lane, streamingSource) }));
  await untilServed(edge.port, `${lane}.localhost`, { status: 200, name: lane });
  return `${lane}.localhost`;
}

describe('a WebSocket', () => {
  it('is passed on with what came behind its handshake, without a forged origin, and closes from either side', async () => {
    const host = await serve('talk');
    const early = frameOf(1, 'early').toString('latin1');
    const visitor = bareVisitor(edge.port, handshakeOf(host, '/echo', 'X-Forwarded-For: 9.9.9.9\r\n') + early);
    await until('the early word', () => visitor.heard().includes('talk:early'));
    expect(visitor.heard()).toMatch(
      /^HTTP\/1\.1 101 .*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=.*x-for: 127\.0\.0\.1/is,
    );
    visitor.say('again');
    await until('the echo', () => visitor.heard().includes('talk:again'));
    visitor.socket.write(frameOf(8, ''));
    await until('the end', visitor.isClosed);
    expect((await countsOf('talk')).stable).toMatchObject({ badEvents: 0, aborted: 0 });
  });

  it('that a release refuses gets the answer of the release, and one for nobody gets our page', async () => {
    const host = await serve('refuse');
    const refused = bareVisitor(edge.port, handshakeOf(host, '/refused'));
    await until('the refusal', refused.isClosed);
    expect(refused.heard()).toMatch(/^HTTP\/1\.1 403 [\s\S]*no$/);
    const lost = bareVisitor(edge.port, handshakeOf('nobody.localhost', '/', 'accept: application/json\r\n'));
    await until('our page', lost.isClosed);
    expect(lost.heard()).toMatch(/^HTTP\/1\.1 404 [\s\S]*"code":"unknown_host"/);
    const smuggled = bareVisitor(edge.port, handshakeOf(host, '/echo', 'content-length: 5\r\n'));
    await until('a refusal of two readings', smuggled.isClosed);
    expect(smuggled.heard()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('of another protocol is left aside, and the request is answered', async () => {
    const host = await serve('other');
    expect((await visit(edge.port, { host, headers: { connection: 'upgrade', upgrade: 'h2c' } })).text).toBe('other');
  });

  it('that a release breaks off is a bad event, once', async () => {
    const host = await serve('drop');
    const visitor = bareVisitor(edge.port, handshakeOf(host));
    await until('the handshake', () => visitor.heard().includes('101'));
    visitor.say('drop');
    await until('the end', visitor.isClosed);
    await until('the count', async () => (await countsOf('drop')).stable.badEvents === 1);
  });

  it('meets the arm of its unit and is counted there at its handshake', async () => {
    const parts = {
      stable: releaseOf(api, 'arm-a', streamingSource),
      canary: releaseOf(api, 'arm-b', streamingSource),
    };
    api.lanes.set('arm', laneOf('arm', { ...parts, weightPercent: 50, leaseRemainingMs: 30_000 }));
    await untilServed(edge.port, 'arm.localhost', { status: 200, name: 'arm-a' });
    await until('the share', async () => (await countsOf('arm')).weightPercent === 50);
    const page = await visit(edge.port, { host: 'arm.localhost' });
    const [cookie = ''] = page.headers['set-cookie']?.[0]?.split(';') ?? [];
    const before = await countsOf('arm');
    const visitor = bareVisitor(edge.port, handshakeOf('arm.localhost', '/echo', `cookie: ${cookie}\r\n`));
    await until('the handshake', () => visitor.heard().includes(`x-name: ${page.text}`));
    const side = page.text === 'arm-a' ? 'stable' : 'canary';
    expect((await countsOf('arm'))[side]).toMatchObject({
      requests: before[side].requests + 1,
      units: before[side].units,
    });
    visitor.socket.destroy();
  });

  it('that is silent for too long is told so and closed', async () => {
    const host = await serve('silence');
    // A release that takes every handshake and never says anything again.
    const silent = createServer((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n'),
      );
      socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', () => resolve()));
    const upstream = openUpstream({ port: (silent.address() as AddressInfo).port });
    const clock = { nowMs: () => performance.now(), wallClock: () => new Date() };
    const table = openLaneTable({ boot: 'b', ...clock, isReady: () => true, log: () => undefined });
    table.apply({ incarnation: 'i', lanes: [laneOf('silence', { stable: releaseOf(api, 'silence') })] }, 0);
    const router = openRouter({
      table,
      endpoint: (_place, release) => ({ release, upstream, errorStatusMin: 500, withheld: [] }),
      isStarting: () => false,
      findTrial: () => null,
      socketIdleMs: 300,
    });
    await new Promise<void>((resolve) => router.listen(0, '127.0.0.1', () => resolve()));
    const visitor = bareVisitor((router.address() as AddressInfo).port, handshakeOf(host));
    await until('the goodbye', visitor.isClosed);
    expect(visitor.heard().endsWith(goingAway)).toBe(true);
    router.close();
    await upstream.destroy();
    silent.close();
  });
});

describe('a stream', () => {
  it('shows its head before its first word', async () => {
    const host = await serve('silent');
    const visitor = bareVisitor(edge.port, `GET /silent-events HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    await until('the head', () => visitor.heard().includes('text/event-stream'));
    visitor.socket.destroy();
  });
});

test('a change of releases under 200 requests a second, with WebSockets and event streams open, loses nothing', async () => {
  const host = 'change.localhost';
  const [first, second] = ['change-a', 'change-b'].map((name) => releaseOf(api, name, streamingSource));
  if (first === undefined || second === undefined) throw new Error('expected two releases');
  const fence = (counter: number) => ({ fence: { incarnation: 1, counter } });
  api.lanes.set('change', laneOf('change', { stable: first }));
  await untilServed(edge.port, host, { status: 200, name: 'change-a' });
  const talkers = Array.from({ length: 10 }, () => bareVisitor(edge.port, handshakeOf(host)));
  const readers = Array.from({ length: 10 }, () =>
    bareVisitor(edge.port, `GET /events HTTP/1.1\r\nhost: ${host}\r\n\r\n`),
  );
  await until('all to be open', () => [...talkers, ...readers].every(({ heard }) => heard().includes('change-a')));
  const answers: Promise<{ status: number; text: string }>[] = [];
  const names = (): Promise<Set<string>> => Promise.all(answers).then((all) => new Set(all.map(({ text }) => text)));
  const steps = [
    { at: 100, order: { stable: first, canary: second, ...fence(2) } },
    { at: 400, order: { stable: first, canary: second, weightPercent: 50, leaseRemainingMs: 30_000, ...fence(3) } },
    { at: 600, order: { stable: first, canary: second, weightPercent: 100, ...fence(4) } },
    { at: 800, order: { stable: second, ...fence(5) } },
  ];
  // Five a beat of 25 ms are 200 a second; each third answer takes 300 ms, so that some are under way at each change.
  for await (const _beat of ticks(25)) {
    for (let index = 0; index < 5; index += 1) {
      answers.push(visit(edge.port, { host, path: answers.length % 3 === 0 ? '/slow' : '/' }));
      const step = steps.find(({ at }) => at === answers.length);
      if (step !== undefined) api.lanes.set('change', laneOf('change', step.order));
    }
    if (answers.length >= 1_200) break;
  }
  const lost = (await Promise.allSettled(answers)).filter(
    (each) => each.status === 'rejected' || each.value.status !== 200,
  );
  expect(lost).toEqual([]);
  expect(await names()).toEqual(new Set(['change-a', 'change-b']));
  // Those who were open before are still served, until the drain ends.
  for (const talker of talkers) talker.say('still here');
  await until('old sockets to live on', () => talkers.every(({ heard }) => heard().includes('change-a:still here')));
  expect([...talkers, ...readers].some(({ isClosed }) => isClosed())).toBe(false);
  await until('the new release alone', async () => (await visit(edge.port, { host })).text === 'change-b');
}, 60_000);

test('an edge that stops says "going away" to WebSockets and ends event streams', async () => {
  const own = dataFolder();
  const stopping = await startEdge(api.url, own.path);
  const host = await serve('leave');
  await untilServed(stopping.port, host, { status: 200, name: 'leave' });
  const talker = bareVisitor(stopping.port, handshakeOf(host));
  const reader = bareVisitor(stopping.port, `GET /events HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  await until('both', () => talker.heard().includes('101') && reader.heard().includes('data: leave'));
  expect(await stopping.end('SIGTERM')).toBe(0);
  await until('their ends', () => talker.isClosed() && reader.isClosed());
  expect(talker.heard().endsWith(goingAway)).toBe(true);
  expect(reader.heard().endsWith('0\r\n\r\n')).toBe(true);
  own.remove();
}, 30_000);
