import type { DirtyMark } from '@proviso/journal';
import type { Fault } from '../fault.ts';
import type { Clock, Log } from '../ports.ts';
import { type LeaderWork, nameOf } from './leader.ts';
import type { Starter } from './starter.ts';

/** Marks taken at once; each is one call to Temporal. */
const marksMax = 100;
/** Calls at once: Temporal's dev server writes one after another anyway. */
const wakesAtOnceMax = 8;
/** NOTIFY wakes us as a rule; this is for the one that was lost. */
const awakeMs = 1_000;
const awayMs = 1_000;

/** Turns dirty marks into wakes. While Temporal is away the marks stay, and nothing that was decided is lost. */
export function wakerWork(ports: { starter: Starter; clock: Clock; log: Log; fault: Fault }): LeaderWork {
  const { starter, clock, log, fault } = ports;
  let away = false;
  const deliver = async (mark: DirtyMark): Promise<boolean> => {
    fault('before_wake');
    try {
      await starter.wake(mark);
      if (away) log.info({}, 'waker.temporal_back');
      away = false;
      return true;
    } catch (error) {
      if (!away) log.warn({ error: nameOf(error) }, 'waker.temporal_away');
      away = true;
      return false;
    }
  };
  return {
    name: 'waker',
    turn: async (leadership, signal) => {
      const marks = await leadership.dirty(marksMax);
      const delivered: DirtyMark[] = [];
      for (let from = 0; from < marks.length && !signal.aborted; from += wakesAtOnceMax) {
        const some = marks.slice(from, from + wakesAtOnceMax);
        const said = await Promise.all(some.map(deliver));
        delivered.push(...some.filter((_, index) => said[index]));
        if (said.includes(false)) break;
      }
      // A wake that was sent and not settled is sent again: at least once, and a second one is harmless.
      if (delivered.length > 0) await leadership.settle(delivered);
      if (delivered.length < marks.length) await clock.pause(awayMs, signal).catch(() => undefined);
      else if (marks.length < marksMax) await leadership.awake(awakeMs);
    },
  };
}
