import { playedAlone } from '../played.ts';
import type { PortalResult } from './portal.ts';

/** Alone it takes twenty seconds; other tests may keep both cores busy meanwhile. */
const portalMsMax = 240_000;

let played: PortalResult;

beforeAll(async () => {
  ({ played } = await playedAlone<PortalResult>('portal', ['--quick'], process.env));
}, portalMsMax);

describe('a page of somebody’s own, in a real browser', () => {
  it('changes as the promotion does, and catches up behind the last entry that it had', () => {
    const { shown, wentOn, impossible } = played;
    if (impossible !== null) return void process.stderr.write(`the page was not looked at: ${impossible}\n`);
    expect(shown?.before).toMatchObject({ line: 'live', entries: [] });
    expect(shown?.changed.entries).toEqual(['decision recorded']);
    expect(shown?.changed.headline).toContain('Security (1 of 1)');
    expect(shown?.offline).toMatchObject({ line: 'not connected, trying again', entries: ['decision recorded'] });
    expect(shown?.caughtUp.entries).toEqual(['promotion ended', 'decision recorded', 'decision recorded']);
    expect(shown?.caughtUp.state).toBe('rejected');
    expect(wentOn?.asked).toContain(wentOn?.behind);
    expect(played.reloads).toBe(0);
  });
});
