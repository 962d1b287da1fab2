import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openLaneTable } from './lane-table.ts';
import { openReportReceiver } from './report-receiver.ts';
import { laneOf, releaseOf, startFakeApi, type FakeApi } from './rig.ts';

// The receiver over real HTTP; the time of its allowance is turned by hand.

const clock = { nowMs: 0 };
const table = openLaneTable({
  boot: 'boot-1',
  nowMs: () => clock.nowMs,
  wallClock: () => new Date(0),
  isReady: () => true,
  log: () => undefined,
});
const receive = openReportReceiver({ table, nowMs: () => clock.nowMs });
const servers: Server[] = [];
let api: FakeApi;

beforeAll(async () => {
  api = await startFakeApi();
});
afterAll(async () => {
  for (const server of servers) server.close();
  await api.close();
});
beforeEach(() => {
  const arms = {
    stable: releaseOf(api, 'old'),
    canary: releaseOf(api, 'new'),
    weightPercent: 50,
    leaseRemainingMs: 9_000,
  };
  const lane = laneOf('desk', { ...arms, fence: { incarnation: 1, counter: clock.nowMs + 1 } });
  table.apply({ incarnation: 'i', lanes: [lane] }, clock.nowMs);
  clock.nowMs += 1;
});

/** Where one release would report to. */
async function doorOf(release: string): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const server = createServer(receive('desk', release));
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async (path, init = {}) =>
    await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, ...init });
}

function scores(...values: readonly { readonly score: number; readonly session?: string }[]): string {
  const dataPoints = values.map(({ score, session }) => ({
    asDouble: score,
    ...(session !== undefined && { attributes: [{ key: 'session.id', value: { stringValue: session } }] }),
  }));
  const metrics = [{ name: 'gen_ai.evaluation.score.value', gauge: { dataPoints } }];
  return JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
}

function counted(): { canary: number; stable: number } {
  const lane = table.get('desk');
  if (lane === null) throw new Error('expected a lane');
  const { canary, stable } = table.countsOf(lane);
  const sum = (arm: typeof canary) => (arm.reported?.score ?? []).reduce((total, count) => total + count, 0);
  return { canary: sum(canary), stable: sum(stable) };
}

test('counts a value for the arm of whoever sends it, whatever it says about itself', async () => {
  const [ours, theirs] = [await doorOf('rel_new'), await doorOf('rel_old')];
  expect((await ours('/v1/metrics', { body: scores({ score: 1 }, { score: 0 }) })).status).toBe(200);
  const answer = await theirs('/v1/metrics', { body: scores({ score: 1 }) });
  expect([answer.status, await answer.json()]).toEqual([200, {}]);
  expect(counted()).toEqual({ canary: 2, stable: 1 });
});

test('of a visitor who is named the first value counts, and without a name each', async () => {
  const send = await doorOf('rel_new');
  for (let round = 0; round < 3; round += 1)
    await send('/v1/metrics', { body: scores({ score: 1, session: 'a' }, { score: 1, session: 'b' }, { score: 1 }) });
  expect(counted().canary).toBe(2 + 3);
});

test('values of a release that nobody is sent to count nowhere', async () => {
  const send = await doorOf('rel_gone');
  expect((await send('/v1/metrics', { body: scores({ score: 1 }) })).status).toBe(200);
  expect(counted()).toEqual({ canary: 0, stable: 0 });
});

test('says which points it rejected and counts the others', async () => {
  const send = await doorOf('rel_new');
  const answer = await send('/v1/metrics', { body: scores({ score: 7 }, { score: 1 }) });
  const errorMessage = 'expected a score from 0 to 1, got more';
  expect(await answer.json()).toEqual({ partialSuccess: { rejectedDataPoints: '1', errorMessage } });
  expect(counted().canary).toBe(1);
});

test.each([
  ['another path', '/v1/traces', {}, 404],
  ['another method', '/v1/metrics', { method: 'GET' }, 405],
  ['protobuf', '/v1/metrics', { headers: { 'content-type': 'application/x-protobuf' }, body: 'x' }, 415],
  [
    'a packed body',
    '/v1/metrics',
    { headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } },
    415,
  ],
  ['no JSON', '/v1/metrics', { body: 'score=1' }, 400],
  ['no object', '/v1/metrics', { body: '7' }, 400],
  ['another document', '/v1/metrics', { body: '{"resourceMetrics":7}' }, 400],
  ['too much', '/v1/metrics', { body: ' '.repeat(300_000) }, 413],
] as const)('refuses %s', async (_what, path, init, status) => {
  const send = await doorOf('rel_new');
  const answer = await send(path, init);
  const { message } = (await answer.json()) as { message: string };
  expect([answer.status, message.startsWith('expected')]).toEqual([status, true]);
});

test('tells a release that reports too often to wait, and no other one', async () => {
  const [send, other] = [await doorOf('rel_new'), await doorOf('rel_old')];
  let answer = await send('/v1/metrics', { body: scores({ score: 1 }) });
  for (let report = 1; answer.status === 200 && report < 1_000; report += 1)
    answer = await send('/v1/metrics', { body: scores({ score: 1 }) });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1']);
  expect((await other('/v1/metrics', { body: scores({ score: 1 }) })).status).toBe(200);
  clock.nowMs += 1_000;
  expect((await send('/v1/metrics', { body: scores({ score: 1 }) })).status).toBe(200);
});
