import type { Onward, Outcome, Step } from '@proviso/domain';
import type { Activities, PromotionSubject } from './activities.ts';

/** One line of a score: a step that is due, people who are asked, or the end. */
export type Line =
  | { readonly due: Step; readonly laps?: number }
  /** Looks at what is live: so many more until there is nothing to watch any more. */
  | { readonly looks: number }
  | { readonly votes: number; readonly untilMs?: number; readonly why?: 'waiting_for_human' | 'blocked' }
  | { readonly end: Outcome };

/** A journal small enough to read: it stands at one line, and only what that line waits for moves it on. */
export interface Score {
  readonly activities: Activities;
  /** A person's vote; true when it was the one that was missing. */
  readonly vote: () => boolean;
  /** Another order of events from here on, as a condemnation or a cancel gives it. */
  readonly turn: (lines: readonly Line[]) => void;
  /** How often each activity was asked, for tests that say what must not happen. */
  readonly asked: readonly string[];
}

/** Every story is told about the same promotion, so that histories hold nothing that was drawn. */
export const subject: PromotionSubject = {
  workspace: `wsp_${'0'.repeat(32)}`,
  promotion: `prm_${'0'.repeat(32)}`,
};

/** What a carried step does before the journal goes on; a test uses it to wake, cancel or hang in the middle. */
export type During = (step: Step, lap: number) => Promise<void>;

/** Opens a score at its first line. */
export function openScore(lines: readonly Line[], during: During = async () => undefined): Score {
  const asked: string[] = [];
  let rest = [...lines];
  let done = 0;
  const advance = (times: number): boolean => {
    done += 1;
    if (done < times) return false;
    rest = rest.slice(1);
    done = 0;
    return true;
  };
  const activities: Activities = {
    look: async () => {
      asked.push('look');
      return onwardOf(rest[0]);
    },
    carry: async ({ step }) => {
      asked.push(step);
      await during(step, done);
      const line = rest[0];
      if (line !== undefined && 'due' in line && line.due === step) advance(line.laps ?? 1);
      return onwardOf(rest[0]);
    },
    watch: async ({ check }) => {
      asked.push(check);
      const line = rest[0];
      if (line === undefined || !('looks' in line)) return 'over';
      if (advance(line.looks)) return 'over';
      return 'seen';
    },
    abandon: async () => {
      asked.push('abandon');
      rest = [{ due: 'undo' }, { end: 'cancelled' }];
    },
  };
  return {
    activities,
    asked,
    vote: () => {
      const line = rest[0];
      return line !== undefined && 'votes' in line && advance(line.votes);
    },
    turn: (next) => {
      rest = [...next];
      done = 0;
    },
  };
}

function onwardOf(line: Line | undefined): Onward {
  if (line === undefined) throw new Error('expected a score that ends');
  if ('due' in line) return { kind: 'run', step: line.due };
  if ('looks' in line) return { kind: 'end', outcome: 'live' };
  if ('end' in line) return { kind: 'end', outcome: line.end };
  const until = line.untilMs === undefined ? null : Date.now() + line.untilMs;
  return { kind: 'wait', until, why: line.why ?? 'waiting_for_human' };
}
