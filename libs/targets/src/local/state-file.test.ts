import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder, newLane, newOrder } from './release-fixture.ts';
import { openStateFile } from './state-file.ts';

const folder = newFolder();
afterAll(() => folder.remove());

const run = {
  key: 'k',
  pid: null,
  identity: null,
  marker: 'PROVISO_RUN=1',
  isolated: false,
  way: 'none' as const,
  runFolder: null,
  port: 1,
};

test('remembers orders and runs over a restart, readable by nobody else', () => {
  const path = join(folder.path, 'state.json');
  const orders = { incarnation: 'i', lanes: [newLane(newOrder(`sha256:${'a'.repeat(64)}`))] };
  const state = openStateFile(path);
  state.saveOrders(orders);
  state.saveRun(run);
  state.saveRun({ ...run, pid: 42, identity: 'b/1' });
  const again = openStateFile(path);
  expect([again.orders(), again.runs(), again.fault]).toEqual([orders, [{ ...run, pid: 42, identity: 'b/1' }], null]);
  again.dropRun(run.marker);
  expect(openStateFile(path).runs()).toEqual([]);
  expect(statSync(path).mode & 0o077).toBe(0);
  expect(readdirSync(folder.path)).toEqual(['state.json']);
});

test('a lease that counts down is no reason to write', () => {
  const path = join(folder.path, 'lease.json');
  const lane = { ...newLane(newOrder(`sha256:${'a'.repeat(64)}`)), weightPercent: 50 };
  const state = openStateFile(path);
  state.saveOrders({ incarnation: 'i', lanes: [{ ...lane, leaseRemainingMs: 900 }] });
  const before = readFileSync(path, 'utf8');
  state.saveOrders({ incarnation: 'i', lanes: [{ ...lane, leaseRemainingMs: 800 }] });
  expect(readFileSync(path, 'utf8')).toBe(before);
  state.saveOrders({ incarnation: 'i', lanes: [{ ...lane, weightPercent: 60, leaseRemainingMs: 800 }] });
  expect(readFileSync(path, 'utf8')).not.toBe(before);
});

test.each(['', '{', '{"v":1,"orders":{"lanes":3}}'])('begins with nothing on a torn file %j, and says so', (text) => {
  const path = join(folder.path, 'torn.json');
  writeFileSync(path, text);
  const state = openStateFile(path);
  expect([state.orders(), state.runs()]).toEqual([null, []]);
  expect(state.fault).not.toBeNull();
});

test('orders that cannot be read do not hide processes that live', () => {
  const path = join(folder.path, 'old.json');
  writeFileSync(path, JSON.stringify({ v: 1, orders: { lanes: 3 }, runs: [run, { ...run, pid: 1 }] }));
  expect(openStateFile(path).runs()).toEqual([run]);
});
