import type { Digest, Look, PaceKind, Reason } from '@proviso/domain';
import type { JudgeVerdict } from '@proviso/judge';
import type { Errand } from '../errand.ts';
import { type Course, type Move, turnCourse } from './course.ts';
import { openJournalClock } from './journal-clock.ts';
import { lookRow } from './look-row.ts';

/** A course with the verdict on it. */
export interface Judged {
  readonly course: Course;
  readonly judged: JudgeVerdict;
  /** When the counts were asked for, by this worker's clock. */
  readonly askedAt: number;
}

/** Tells looks to the journal: those that change something at once, the others often enough for lease and evidence. */
export interface Teller {
  /** How fast a person lets the canary climb, as the newest answer said. */
  readonly pace: () => PaceKind;
  /** False when this claim counts no more. Not every look is told; the next one that is carries the judge's memory. */
  readonly hold: (look: Judged, how: { readonly fresh: boolean; readonly urgent: boolean }) => Promise<boolean>;
  /** The look that ends it, so that the series ends with what was concluded from; false as above, or when it is paused. */
  readonly last: (look: Judged, move: Move) => Promise<boolean>;
  /** The course under its new share; null when this claim counts no more or the lane is held. */
  readonly weigh: (look: Judged, percent: number) => Promise<Course | null>;
  readonly condemn: (
    look: Judged,
    why: { readonly snapshot: Digest; readonly reasons: readonly Reason[] },
  ) => Promise<void>;
}

/** A lease lives 30 s: renewed this often, five renewals may fail before the edge takes the share back. */
const renewMs = 5_000;
/** A killed worker loses the judge's words about at most this many looks; their counts it does not lose. */
const looksUntoldMax = 10;

/** A teller that goes on numbering after the newest stored look. */
export function openTeller(errand: Errand, lastNumber: number, paceBefore: PaceKind): Teller {
  const { ports, clerk, subject, grant } = errand;
  const journalClock = openJournalClock(ports.clock.now, grant.at);
  let number = lastNumber;
  let pace = paceBefore;
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  const tell = async (look: Judged, told: { fresh: boolean; verdict: Look['verdict']; move: Move }) => {
    const at = ports.clock.now();
    number += 1;
    const command: Look = {
      kind: 'Look',
      promotion: subject.promotion,
      fence: grant.fence,
      laneFence: look.course.laneFence,
      fresh: told.fresh,
      seenAt: Math.floor(journalClock.timeAt(look.askedAt)),
      verdict: told.verdict,
    };
    const row = lookRow(subject.promotion, number, { ...look, move: told.move, at });
    const receipt = await clerk.submit(command, errand.key(`look-${number}`), row);
    [toldAt, untold] = [at, 0];
    if (receipt.kind === 'refused' || receipt.answer.kind !== 'steered') return null;
    pace = receipt.answer.pace;
    journalClock.hear(receipt.answer.at);
    return receipt.answer;
  };
  return {
    pace: () => pace,
    hold: async (look, { fresh, urgent }) => {
      untold += 1;
      const renews = fresh && ports.clock.now() - toldAt >= renewMs;
      if (!renews && !urgent && untold < looksUntoldMax) return true;
      const steered = await tell(look, { fresh, verdict: { kind: 'hold' }, move: { kind: 'hold' } });
      return steered?.going === true;
    },
    last: async (look, move) => {
      const steered = await tell(look, { fresh: false, verdict: { kind: 'hold' }, move });
      return steered?.going === true && (move.kind !== 'settle' || steered.pace !== 'paused');
    },
    weigh: async (look, percent) => {
      const steered = await tell(look, {
        fresh: true,
        verdict: { kind: 'advance', percent },
        move: { kind: 'weigh', percent },
      });
      if (steered?.going !== true) return null;
      ports.fault('during_weight_change');
      const { weight, laneFence } = steered;
      return turnCourse(look.course, { weight, laneFence });
    },
    condemn: async (look, why) => {
      await tell(look, { fresh: false, verdict: { kind: 'condemn', ...why }, move: { kind: 'condemn' } });
    },
  };
}
