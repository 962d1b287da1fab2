import type { DoorRefusal } from '@proviso/journal';
import { type Caller, authnOf } from './caller.ts';

/** Small mistakes of one person within this time are one entry, however many there are. */
const windowMs = 60_000;

/** As many people as the limit of refusals remembers; who comes beyond it is in the metrics only. */
const peopleMax = 10_000;

/** Where the sums go, and whose clock this is. */
export interface SummaryPorts {
  readonly record: (said: DoorRefusal) => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
}

/**
 * Sums up what was refused without an entry of its own: typos, stale addresses, tries beyond the limit. One entry a
 * person and minute, in each process. If we die, the sums of the running minute are lost; the metrics had them.
 */
export interface RefusalSummary {
  readonly note: (caller: Caller, code: string) => void;
  /** Writes down what was noted, one entry after the other, so that a flood of people holds one connection. */
  readonly flush: () => Promise<void>;
}

interface Sum {
  readonly caller: Caller;
  readonly sinceMs: number;
  /** Codes are a closed list, so this cannot grow with what strangers send. */
  readonly codes: Map<string, number>;
}

/** Opens the sums of this process; no timer runs while nothing was noted. */
export function openRefusalSummary({ record, onError, now }: SummaryPorts): RefusalSummary {
  let sums = new Map<string, Sum>();
  let timer: NodeJS.Timeout | null = null;
  let flushing = Promise.resolve();
  const write = async (): Promise<void> => {
    const full = sums;
    sums = new Map();
    for (const sum of full.values()) await record(saidBy(sum)).catch(onError);
  };
  const flush = (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    flushing = flushing.then(write);
    return flushing;
  };
  return {
    note: (caller, code) => {
      const { id } = caller.person;
      const sum = sums.get(id) ?? { caller, sinceMs: now(), codes: new Map<string, number>() };
      if (!sums.has(id) && sums.size >= peopleMax) return;
      sums.set(id, sum);
      sum.codes.set(code, (sum.codes.get(code) ?? 0) + 1);
      timer ??= setTimeout(() => void flush(), windowMs).unref();
    },
    flush,
  };
}

function saidBy({ caller, sinceMs, codes }: Sum): DoorRefusal {
  const { workspace, person: actor, lentBy } = caller;
  const since = new Date(sinceMs).toISOString();
  const told = { kind: 'refusals_summed', since, codes: Object.fromEntries(codes) } as const;
  return { workspace, actor, lentBy, authn: authnOf(caller), told };
}
