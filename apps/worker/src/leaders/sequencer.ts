import type { LeaderWork } from './leader.ts';

/** Entries placed in one transaction; at 3 ms each batch keeps its row lock well under a statement's 5 s. */
const batchMax = 500;
/** NOTIFY wakes us as a rule; an entry is placed within a second in any case. */
const awakeMs = 500;

/** Gives entries their place in the one public order. */
export function sequencerWork(): LeaderWork {
  return {
    name: 'sequencer',
    turn: async (leadership) => {
      const placed = await leadership.sequence(batchMax);
      if (placed < batchMax) await leadership.awake(awakeMs);
    },
  };
}
