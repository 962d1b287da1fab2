import type { Leadership, Pump } from '@proviso/journal';
import type { Clock, Log } from '../ports.ts';

/** What a leader does, one turn after another, for as long as it leads. */
export interface LeaderWork {
  readonly name: 'waker' | 'sequencer' | 'reconciler' | 'courier';
  /** One turn; it may wait on the leadership itself. A throw ends this leadership, and another one is tried for. */
  readonly turn: (leadership: Leadership, signal: AbortSignal) => Promise<void>;
}

/** What a leader needs besides its work. */
export interface LeaderPorts {
  /** Opened anew when the database was away; a pump that cannot be opened is tried again. */
  readonly pump: () => Promise<Pump>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told at each change, for /metrics. */
  readonly leads: (name: LeaderWork['name'], leading: boolean) => void;
}

/** Under the journal's idle timeout of 5 s, so that a frozen leader loses its lock and a living one does not. */
const pingMs = 2_000;
/** Another process leads, or the database is away: looking each second is soon enough. */
const retryMs = 1_000;

/** Leads, works, loses, tries again, until the signal ends it. Never throws: background work outlives its database. */
export async function leadForever(ports: LeaderPorts, work: LeaderWork): Promise<void> {
  const { clock, log, signal, leads } = ports;
  let trouble = false;
  while (!signal.aborted) {
    try {
      const leadership = await (await ports.pump()).lead(work.name);
      if (trouble) log.info({ leader: work.name }, 'leader.journal_back');
      trouble = false;
      if (leadership !== null) {
        leads(work.name, true);
        log.info({ leader: work.name, epoch: leadership.epoch }, 'leader.leads');
        await workWhileLeading({ leadership, signal }, work);
      }
    } catch (error) {
      // Once per change of state: a database that is away for an hour is one line.
      if (!trouble && !signal.aborted) log.warn({ leader: work.name, error: nameOf(error) }, 'leader.lost');
      trouble = true;
    }
    leads(work.name, false);
    await clock.pause(retryMs, signal).catch(() => undefined);
  }
}

async function workWhileLeading(
  { leadership, signal }: { readonly leadership: Leadership; readonly signal: AbortSignal },
  work: LeaderWork,
): Promise<void> {
  const lost = new AbortController();
  const both = AbortSignal.any([signal, lost.signal]);
  let pinging = false;
  const ping = async (): Promise<void> => {
    if (pinging) return;
    pinging = true;
    await leadership.ping().catch((error: unknown) => lost.abort(error));
    pinging = false;
  };
  const pings = setInterval(() => void ping(), pingMs);
  try {
    while (!both.aborted) await work.turn(leadership, both);
    if (lost.signal.aborted) throw lost.signal.reason;
  } finally {
    clearInterval(pings);
    await leadership.resign().catch(() => undefined);
  }
}

/** An error's closed code or name: messages of drivers may hold addresses and are not logged. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
