import { openJournalClock } from './journal-clock.ts';

/** The journal is ahead of this machine by so much, which nobody here can know. */
const aheadMs = 7_000_000;

function clock() {
  const hands = { nowMs: 1_000 };
  return { hands, known: openJournalClock(() => hands.nowMs, hands.nowMs + aheadMs) };
}

describe('the journal’s time as a worker knows it', () => {
  it('goes on with this machine’s clock, however far the two are apart', () => {
    const { hands, known } = clock();
    hands.nowMs += 60_000;
    expect(known.timeAt(hands.nowMs)).toBe(61_000 + aheadMs);
    expect(known.timeAt(1_000)).toBe(1_000 + aheadMs);
  });

  it('lags by as long as an answer was on its way, until one comes faster', () => {
    const hands = { nowMs: 41_000 };
    const known = openJournalClock(() => hands.nowMs, 1_000 + aheadMs);
    expect(known.timeAt(41_000)).toBe(1_000 + aheadMs);
    known.hear(41_000 - 20 + aheadMs);
    expect(known.timeAt(41_000)).toBe(40_980 + aheadMs);
    hands.nowMs += 90_000;
    known.hear(42_000 + aheadMs);
    expect(known.timeAt(hands.nowMs)).toBe(130_980 + aheadMs);
  });
});
