import { type AddressInfo, createServer, type Server } from 'node:net';
import { openUpstream } from '@proviso/targets';
import { type LaneTable, openLaneTable } from './lane-table.ts';
import { laneOf, until } from './rig.ts';
import { openRouter } from './router.ts';
import { bareVisitor } from './streaming-fixture.ts';

const release = {
  release: 'rel_1',
  artifactDigest: `sha256:${'0'.repeat(64)}`,
  trusted: true,
  contract: { start: ['node', 'a'], portEnvironment: 'PORT', environment: {}, health: { path: '/' } },
} as const;

// A release that takes every request and answers none.
const hanging = createServer((socket) => socket.on('error', () => socket.destroy()).resume());

beforeAll(async () => {
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', () => resolve()));
});

afterAll(async () => {
  await new Promise((resolve) => hanging.close(resolve));
});

async function openDoor(patienceMs: number): Promise<{ router: Server; table: LaneTable; end: () => Promise<void> }> {
  const upstream = openUpstream({ port: (hanging.address() as AddressInfo).port });
  const clock = { nowMs: () => performance.now(), wallClock: () => new Date() };
  const table = openLaneTable({ boot: 'b', ...clock, isReady: () => true, log: () => undefined });
  table.apply({ incarnation: 'i', lanes: [laneOf('l', { stable: release })] }, 0);
  const endpoint = () => ({ release: 'rel_1', upstream, errorStatusMin: 500, withheld: [] });
  const router = openRouter({ table, endpoint, isStarting: () => false, findTrial: () => null, patienceMs });
  await new Promise<void>((resolve) => router.listen(0, '127.0.0.1', () => resolve()));
  const end = async (): Promise<void> => {
    router.close();
    await upstream.destroy();
  };
  return { router, table, end };
}

describe('a visitor who leaves without an answer', () => {
  it.each([
    [
      'was not served, after waiting for it',
      0,
      'GET / HTTP/1.1\r\nhost: l.localhost\r\n\r\n',
      { badEvents: 1, aborted: 0 },
    ],
    [
      'may just have clicked elsewhere',
      60_000,
      'GET / HTTP/1.1\r\nhost: l.localhost\r\n\r\n',
      { badEvents: 0, aborted: 1 },
    ],
    [
      'had not even asked, while still sending',
      0,
      'POST / HTTP/1.1\r\nhost: l.localhost\r\ncontent-length: 9\r\n\r\nhalf',
      { badEvents: 0, aborted: 1 },
    ],
  ] as const)('%s', async (_what, patienceMs, asked, counted) => {
    const { router, table, end } = await openDoor(patienceMs);
    const lane = table.get('l');
    if (lane === null) throw new Error('expected the lane, got none');
    const visitor = bareVisitor((router.address() as AddressInfo).port, asked);
    await until('the request', () => lane.counter.read().stable.requests === 1);
    visitor.socket.destroy();
    const { stable } = await until('the leave', () => {
      const seen = lane.counter.read();
      return seen.stable.badEvents + seen.stable.aborted === 1 && seen;
    });
    expect(stable).toMatchObject(counted);
    await end();
  });
});
