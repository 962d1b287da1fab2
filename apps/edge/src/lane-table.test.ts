import type { LaneOrder } from '@proviso/targets';
import { LEASE_MS_MAX, type LaneTable, openLaneTable } from './lane-table.ts';
import { laneOf } from './rig.ts';

const release = {
  release: 'rel_1',
  artifactDigest: `sha256:${'0'.repeat(64)}`,
  trusted: true,
  contract: { start: ['node', 'a'], portEnvironment: 'PORT', environment: {}, health: { path: '/' } },
} as const;

function newTable(): {
  table: LaneTable;
  clock: { nowMs: number };
  ready: Set<string>;
  serve: (parts: Partial<LaneOrder>, sentMs?: number) => void;
} {
  const clock = { nowMs: 1_000 };
  const ready = new Set(['rel_1']);
  const table = openLaneTable({
    boot: 'boot',
    nowMs: () => clock.nowMs,
    wallClock: () => new Date(0),
    isReady: (_lane, name) => ready.has(name),
    log: () => undefined,
  });
  const serve = (parts: Partial<LaneOrder>, sentMs = clock.nowMs): void => {
    table.apply({ incarnation: 'i', lanes: [laneOf('l', { canary: release, ...parts })] }, sentMs);
  };
  return { table, clock, ready, serve };
}

function lane(table: LaneTable) {
  const found = table.get('l');
  if (found === null) throw new Error('expected the lane, got none');
  return found;
}

test('a lease counts from when the poll was sent, and its last moment is already too late', () => {
  const { table, clock, serve } = newTable();
  serve({ weightPercent: 50, leaseRemainingMs: 5_000 }, 400);
  clock.nowMs = 5_399;
  expect([table.servedShare(lane(table)), table.isParked(lane(table))]).toEqual([0.5, false]);
  clock.nowMs = 5_400;
  expect([table.servedShare(lane(table)), table.isParked(lane(table))]).toEqual([0, true]);
});

test('no lease lasts longer than 30 s, and a share without one is parked at once', () => {
  const { table, clock, serve } = newTable();
  serve({ weightPercent: 50, leaseRemainingMs: 1e9 });
  expect(table.leaseRemainingMs(lane(table))).toBe(LEASE_MS_MAX);
  clock.nowMs += LEASE_MS_MAX;
  expect(table.servedShare(lane(table))).toBe(0);
  serve({ weightPercent: 50, leaseRemainingMs: null });
  expect(table.isParked(lane(table))).toBe(true);
});

test('weight 0 and weight 100 need no lease and never lapse', () => {
  const { table, clock, serve } = newTable();
  for (const weightPercent of [0, 100]) {
    serve({ weightPercent });
    clock.nowMs += 1e9;
    expect([table.servedShare(lane(table)), table.isParked(lane(table))]).toEqual([weightPercent / 100, false]);
  }
});

test('each change of the served share begins a new epoch, whatever caused it', () => {
  const { table, clock, ready, serve } = newTable();
  const epochs: number[] = [];
  const look = (): void => {
    epochs.push(table.countsOf(lane(table)).epoch);
  };
  serve({ weightPercent: 50, leaseRemainingMs: 5_000 });
  look();
  look();
  ready.clear();
  look();
  ready.add('rel_1');
  look();
  clock.nowMs += 5_000;
  look();
  serve({ weightPercent: 50, leaseRemainingMs: 5_000 });
  look();
  expect(epochs.map((epoch) => epoch - (epochs[0] ?? 0))).toEqual([0, 0, 1, 2, 3, 4]);
});

test('what was counted up to a change of the share is kept until the next one, and goes with the fence', () => {
  const { table, clock, serve } = newTable();
  const ended = () => table.countsOf(lane(table)).ended;
  serve({ weightPercent: 25, leaseRemainingMs: 5_000 });
  const { epoch, began } = table.countsOf(lane(table));
  expect(began).toMatchObject({ canary: { requests: 0 }, stable: { requests: 0 } });
  lane(table).counter.visit('canary', null).bad();
  clock.nowMs += 5_000;
  expect(ended()).toMatchObject({ epoch, weightPercent: 25, canary: { requests: 1, badEvents: 1 } });
  lane(table).counter.visit('stable', null);
  expect(ended()).toMatchObject({ epoch, stable: { requests: 0 }, began });
  expect(table.countsOf(lane(table)).began).toMatchObject({ canary: { requests: 1, badEvents: 1 } });
  serve({ weightPercent: 25, leaseRemainingMs: 5_000 });
  expect(ended()).toMatchObject({ epoch: epoch + 1, weightPercent: 0, stable: { requests: 1 } });
  serve({ weightPercent: 25, leaseRemainingMs: 5_000, fence: { incarnation: 1, counter: 2 } });
  expect(ended()).toBeUndefined();
});

test('a newer fence empties the counters, the same fence keeps them, and an old request counts where it began', () => {
  const { table, serve } = newTable();
  serve({});
  const visit = lane(table).counter.visit('canary', null);
  serve({});
  expect(table.countsOf(lane(table)).canary.requests).toBe(1);
  serve({ fence: { incarnation: 1, counter: 2 } });
  visit.bad();
  expect(table.countsOf(lane(table)).canary).toMatchObject({ requests: 0, badEvents: 0 });
});

test('units are remembered from the first share on, through every share, and forgotten with the release they were drawn for', () => {
  const { table, serve } = newTable();
  const at = (counter: number, parts: Partial<LaneOrder>): void => {
    serve({ fence: { incarnation: 1, counter }, leaseRemainingMs: 10_000, ...parts });
  };
  const failsOn = (arm: 'canary' | 'stable'): number => {
    lane(table).counter.visit(arm, 0.3).bad();
    return lane(table).counter.read()[arm].firstBadUnits;
  };
  at(1, { weightPercent: 0 });
  expect(failsOn('stable')).toBe(1);
  at(2, { weightPercent: 10 });
  expect(failsOn('stable')).toBe(1);
  at(3, { weightPercent: 50 });
  expect(failsOn('canary')).toBe(0);
  at(4, { weightPercent: 0 });
  at(5, { weightPercent: 10 });
  expect(failsOn('stable')).toBe(0);
  at(6, { weightPercent: 10, canary: { ...release, release: 'rel_2' } });
  expect(failsOn('stable')).toBe(1);
});

test('an older fence changes nothing, neither for a lane being served nor for one that is gone', () => {
  const { table, serve } = newTable();
  serve({ fence: { incarnation: 2, counter: 1 } });
  serve({ fence: { incarnation: 1, counter: 99 }, closed: true });
  expect(lane(table).order).toMatchObject({ fence: { incarnation: 2, counter: 1 }, closed: false });
  expect(lane(table).ignoredFence).toEqual({ incarnation: 1, counter: 99 });
  table.apply({ incarnation: 'i', lanes: [] }, 0);
  expect(table.byHost('l.localhost')).toBeNull();
  serve({ fence: { incarnation: 2, counter: 0 } });
  expect(table.get('l')).toBeNull();
  serve({ fence: { incarnation: 2, counter: 2 } });
  expect(table.byHost('l.localhost')?.order.lane).toBe('l');
});
