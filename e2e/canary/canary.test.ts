import type { CanaryResult } from './canary.ts';
import { playedAlone } from '../played.ts';

/** Alone it takes a minute; other tests may keep both cores busy meanwhile. */
const canaryMsMax = 480_000;

it(
  'takes an outage back at once and a version that is worse soon, and holds the lane until a person resumes it',
  async () => {
    const { code, played } = await playedAlone<CanaryResult>('canary', ['--quick', '--rounds', '1']);
    const { outage, worse, findings } = played;
    expect([outage, ...worse].flatMap(({ violations }) => violations)).toEqual([]);
    expect(findings).toEqual([]);
    expect(outage).toMatchObject({ outcome: 'rolled_back' });
    expect(outage.afterFirstBadMs).toBeLessThanOrEqual(5_000);
    expect(worse).toEqual([expect.objectContaining({ rateRatio: 3, outcome: 'rolled_back' })]);
    expect(worse[0]?.excess).toBeGreaterThan(0);
    expect(code).toBe(0);
  },
  canaryMsMax,
);
