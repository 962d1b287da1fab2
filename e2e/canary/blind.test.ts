import type { BlindResult } from './blind.ts';
import { playedAlone } from '../played.ts';

/** Alone it takes a minute, most of which is the outage; other tests may keep both cores busy meanwhile. */
const blindMsMax = 480_000;

it(
  'takes users off canaries that turn bad while nobody looks, and condemns them on what was counted meanwhile',
  async () => {
    const { code, played } = await playedAlone<BlindResult>('blind', ['--quick', '--rounds', '2']);
    expect(played.rounds.flatMap(({ violations }) => violations)).toEqual([]);
    expect(played.findings).toEqual([]);
    expect(played.rounds.map(({ victim, manner }) => `${victim} ${manner}`)).toEqual([
      'worker frozen',
      'worker frozen',
    ]);
    for (const { zeroMs, looks, stableAsked } of played.rounds) {
      expect(zeroMs).toBeLessThanOrEqual(60_000);
      expect(looks[1]).toBeGreaterThan(looks[0]);
      expect(stableAsked).toBeGreaterThan(100);
    }
    expect(code).toBe(0);
  },
  blindMsMax,
);
