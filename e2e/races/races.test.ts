import { playedAlone } from '../played.ts';
import type { RacesResult } from './races.ts';

/** Alone it takes a minute; other tests may keep both cores busy meanwhile. */
const racesMsMax = 480_000;
const rounds = 8;

let played: RacesResult;
let ended: { readonly code: number; readonly said: string };

beforeAll(async () => {
  const { played: result, ...rest } = await playedAlone<RacesResult>('races', ['--rounds', String(rounds)]);
  played = result;
  ended = rest;
}, racesMsMax);

describe('two hundred votes at once, by two who may and five who may not', () => {
  it('are two decisions and one pass, over every channel, round after round', () => {
    expect(played.rounds).toHaveLength(rounds);
    for (const { votes, recorded, passes, fiveHundreds, findings } of played.rounds)
      expect({ votes, recorded, passes, fiveHundreds, findings }).toEqual({
        ...{ votes: 200, recorded: 2, passes: 1, fiveHundreds: 0, findings: [] },
      });
    expect(ended).toMatchObject({ code: 0 });
  });

  it('meet each other at the lock: who came too late over each channel was told so', () => {
    const told = new Set(played.rounds.flatMap(({ refused }) => Object.keys(refused)));
    expect([...told]).toEqual(
      expect.arrayContaining(['CLI own_work', 'REST own_work', 'REST gate_closed', 'REST not_permitted']),
    );
  });

  it('break the count at once where the promotion’s row is not locked for update', () => {
    expect(played.planted).toMatchObject({ bug: 'no row lock', caught: true });
  });
});
