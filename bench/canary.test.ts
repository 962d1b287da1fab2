import { run } from './canary.ts';
import { seededRandom } from './canary/seeded-random.ts';
import { mannWhitney, shiftInterval } from './canary/rank-test.ts';
import type { BenchLine } from './line.ts';

/** The quick profile: the same code on fewer canaries. Its seeds are fixed, so it says the same on every machine. */
const lines = await run({ rounds: 1, quick: true, inputs: {} });

function of(start: string, peer?: string): readonly BenchLine[] {
  const found = lines.filter(
    ({ metric, peerName }) => metric.startsWith(start) && (peer === undefined || peerName?.startsWith(peer)),
  );
  if (found.length === 0) throw new Error(`expected lines of ${start}, got none`);
  return found;
}

describe('simulated canaries', () => {
  it('speak against no promise on false rollbacks, on any canary that is as good as stable', () => {
    const nulls = of('false_rollbacks_upper_bound');
    expect(nulls.filter(({ met }) => !met)).toEqual([]);
    expect(nulls.length).toBe(14);
  });

  it('show rules that break their promise: pooled over time, or a threshold', () => {
    expect(of('false_rollbacks, ramp with drift', 'GAVI')[0]?.peer).toBeGreaterThan(0.1);
    expect(of('false_rollbacks, clusters of 10', 'GAVI')[0]?.peer).toBeGreaterThan(0.1);
    expect(of('false_rollbacks, base rate at the objective', 'Argo')[0]?.peer).toBeGreaterThan(0.5);
  });

  it.each([['ratio 20'], ['outage']])('cost at least thirty times less than with Kayenta at %s', (scenario) => {
    for (const { ours, peer } of of(`excess_bad_requests, ${scenario}`, 'Kayenta')) {
      expect(peer).toBeGreaterThan(30 * ours);
    }
  });

  it('never put a canary live that is five times as bad', () => {
    for (const ratio of ['5', '20'])
      expect(of(`wrongly_promoted, ratio ${ratio}`).every(({ ours }) => ours === 0)).toBe(true);
  });

  it('let a healthy canary go live sooner than the schedules of others', () => {
    for (const { ours, peer } of of('minutes_to_live')) expect(ours).toBeLessThan(peer ?? 0);
  });

  it('are found to be slower by a tenth, in looks of a second', () => {
    for (const { metric, ours } of of('seconds_to_find')) {
      if (metric.includes('looks of 1 s')) expect(ours).toBeLessThan(200);
    }
    for (const { ours, peer } of of('seconds_to_find', 'Kayenta').filter(({ metric }) =>
      /heats, looks of 1 s/.test(metric),
    ))
      expect(peer).toBeGreaterThan(5 * ours);
  });
});

describe('what the simulation is made of', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    const some = (seed: number, run: number) => {
      const { uniform, poisson } = seededRandom(seed, run);
      return [uniform(), poisson(3), poisson(500), uniform()];
    };
    expect(some(1, 2)).toEqual(some(1, 2));
    expect(some(1, 2)).not.toEqual(some(1, 3));
  });

  it.each([[0.2], [4], [250], [1_000]])('draws counts with mean and variance %d', (mean) => {
    const { poisson } = seededRandom(7, 1);
    const draws = Array.from({ length: 20_000 }, () => poisson(mean));
    const average = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - average) ** 2, 0) / draws.length;
    expect(Math.abs(average / mean - 1)).toBeLessThan(0.04);
    expect(Math.abs(variance / mean - 1)).toBeLessThan(0.06);
  });

  it('knows the rank tests of the textbooks', () => {
    // Hollander & Wolfe 1999, table 4.1: permeability at term against 12 to 26 weeks; R says p = .1272 (exact), W = 35.
    const term = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const early = [1.15, 0.88, 0.9, 0.74, 1.21];
    expect(mannWhitney(term, early)).toBeCloseTo(0.1223, 2);
    expect(shiftInterval(term, early, 0.95).estimate).toBeCloseTo(0.305, 9);
    expect(shiftInterval([6, 7, 8, 9, 10], [1, 2, 3, 4, 5], 0.98).lower).toBe(1);
  });
});
