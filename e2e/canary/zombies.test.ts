import { playedAlone } from '../played.ts';
import type { ZombiesResult } from './zombies.ts';

/** Alone it takes a minute; other tests may keep both cores busy meanwhile. */
const zombiesMsMax = 480_000;

it(
  'refuses what a worker writes that wakes up after a rollback, and rolls back when a run is cancelled',
  async () => {
    const { code, played } = await playedAlone<ZombiesResult>('zombies', ['--quick', '--rounds', '1']);
    const { writes, runs, findings } = played;
    expect({ violations: [...writes, ...runs].flatMap((one) => one.violations), findings }).toEqual({
      ...{ violations: [], findings: [] },
    });
    expect(writes.map(({ write, refused }) => [write, refused.length > 0])).toEqual([
      ['a first share, not begun', true],
      ['a renewed lease', true],
    ]);
    expect(runs).toEqual([expect.objectContaining({ loss: 'cancelled', outcome: 'cancelled' })]);
    expect(code).toBe(0);
  },
  zombiesMsMax,
);
