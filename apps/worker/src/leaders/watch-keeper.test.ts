import type { LaneId, PromotionId } from '@proviso/domain';
import type { WatchedLane } from '@proviso/journal';
import { watchIdOf } from '@proviso/workflow';
import type { Log } from '../ports.ts';
import { watchKeeper } from './watch-keeper.ts';
import type { WatchSchedules } from './watch-schedules.ts';

const quiet = (): void => undefined;
const log: Log = { info: quiet, warn: quiet, error: quiet };
const workspace = `wsp_${'0'.repeat(32)}` as const;
const lane = (letter: string): LaneId => `lane_${letter.repeat(32)}`;
const promotion = (letter: string): PromotionId => `prm_${letter.repeat(32)}`;
const serves = (at: string, what: string | null): WatchedLane => ({
  workspace,
  lane: lane(at),
  ...(what === null ? { promotion: null, everyMs: null } : { promotion: promotion(what), everyMs: 3_600_000 }),
});

/** A Temporal that holds names, and lanes that a test moves; the clock stands until it is turned. */
function opened(lanes: readonly WatchedLane[], names: readonly string[] = []) {
  const temporal = { names: new Set(names), asked: 0, away: false };
  const world = { lanes, now: 0 };
  const schedules: WatchSchedules = {
    names: async () => {
      temporal.asked += 1;
      if (temporal.away) throw new Error('away');
      return [...temporal.names];
    },
    begin: async (watched) => void temporal.names.add(watchIdOf(watched.lane, watched.promotion)),
    end: async (name) => void temporal.names.delete(name),
  };
  const clock = { now: () => world.now, pause: async () => undefined };
  const keep = watchKeeper({ schedules, clock, log });
  const watched = async (after: string, limit: number) => world.lanes.filter((one) => one.lane > after).slice(0, limit);
  return { temporal, world, turn: async () => await keep({ watched }) };
}

describe('the keeper of watches', () => {
  it('keeps one Schedule for each live release and ends that of the one before', async () => {
    const { temporal, world, turn } = opened([serves('a', '1'), serves('b', null)]);
    await turn();
    expect([...temporal.names]).toEqual([watchIdOf(lane('a'), promotion('1'))]);
    world.lanes = [serves('a', '2'), serves('b', null)];
    await turn();
    expect([...temporal.names]).toEqual([watchIdOf(lane('a'), promotion('2'))]);
    world.lanes = [serves('a', null), serves('b', null)];
    await turn();
    expect([...temporal.names]).toEqual([]);
  });

  it('begins anew what Temporal has lost, a minute later at the latest', async () => {
    const { temporal, world, turn } = opened([serves('a', '1')]);
    await turn();
    temporal.names.clear();
    await turn();
    expect(temporal.names.size).toBe(0);
    world.now += 60_000;
    await turn();
    expect(temporal.names.size).toBe(1);
  });

  it('tries again while Temporal is away', async () => {
    const { temporal, turn } = opened([serves('a', '1')]);
    temporal.away = true;
    await expect(turn()).rejects.toThrow('away');
    temporal.away = false;
    await turn();
    expect(temporal.names.size).toBe(1);
  });

  it('leaves alone what is another deployment’s, or no watch at all', async () => {
    const foreign = [watchIdOf(lane('f'), promotion('9')), 'nightly-backup'];
    const { temporal, turn } = opened([serves('a', null)], foreign);
    await turn();
    expect([...temporal.names]).toEqual(foreign);
  });

  it('sees the lanes beyond the first page', async () => {
    const letters = Array.from({ length: 1_001 }, (_, index) => index.toString(16).padStart(32, '0'));
    const lanes = letters.map((name): WatchedLane => ({ ...serves('a', '1'), lane: `lane_${name}` }));
    const { temporal, turn } = opened(lanes);
    await turn();
    expect(temporal.names.size).toBe(1_001);
  });
});
