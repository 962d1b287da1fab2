import { playedAlone } from '../played.ts';
import type { WatchResult } from './watch.ts';

/** Alone it takes half a minute; other tests may keep both cores busy meanwhile. */
const watchMsMax = 240_000;

let played: WatchResult;

beforeAll(async () => {
  ({ played } = await playedAlone<WatchResult>('watch', ['--quick']));
}, watchMsMax);

describe('ninety days of live releases', () => {
  it('open for each breach exactly the action that its row names, and for no other release any', () => {
    expect(played.releases.filter(({ right }) => !right)).toEqual([]);
    expect(played.releases.map(({ did }) => did.length)).toEqual([0, ...Array.from({ length: 7 }, () => 1)]);
  });

  it('are watched on after Temporal has lost its database', () => {
    expect(played.restored.before).toBeGreaterThan(3);
    expect(played.restored.after).toBe(played.restored.before);
  });

  it('leave each lane as its action says', () => {
    expect(Object.fromEntries(played.releases.map(({ name, outcome, hold }) => [name, `${outcome}, ${hold}`]))).toEqual(
      {
        calm: 'live, null',
        'a new advisory': 'demoted, demoted',
        'an evaluation drop': 'rolled_back, rolled_back',
        drift: 'live, null',
        'cost over its cap': 'demoted, demoted',
        'errors over budget': 'rolled_back, rolled_back',
        'a review that is due': 'live, watch',
        'an owner shut out': 'live, watch',
      },
    );
  });
});
