/**
 * The journal's time as a worker can know it without trusting that two clocks agree: what an answer said, and how long ago
 * it came. It lags by as long as that answer was on its way, and leads only if this machine's clock is put forward.
 */
export interface JournalClock {
  /** Takes an answer's time. The best of all so far counts: one that was held up on its way would say too little. */
  readonly hear: (at: number) => void;
  /** The journal's time at an instant of this machine's clock. */
  readonly timeAt: (here: number) => number;
}

/** Begins with one answer that came just now. */
export function openJournalClock(now: () => number, at: number): JournalClock {
  let aheadMs = at - now();
  return {
    hear: (said) => {
      aheadMs = Math.max(aheadMs, said - now());
    },
    timeAt: (here) => here + aheadMs,
  };
}
