import { setTimeout as pause } from 'node:timers/promises';
import { type EdgeFeed, type EdgeLog, type EdgeOrders, type EdgeReport, messageOf } from '@proviso/targets';

/** The loop that asks for orders; the edge lives on whether or not anybody answers. */
export interface Poll {
  /** When the last orders came, on the monotonic clock; null before the first. */
  readonly lastAnswerMs: () => number | null;
  readonly stop: () => Promise<void>;
}

/** Starts asking: one call at a time, so answers are never out of order. */
export function startPoll(options: {
  feed: EdgeFeed;
  everyMs: number;
  nowMs: () => number;
  report: () => EdgeReport;
  apply: (orders: EdgeOrders, sentMs: number) => void;
  log: EdgeLog;
}): Poll {
  const stopping = new AbortController();
  let lastAnswerMs: number | null = null;
  let fault: string | null = null;
  const ask = async (): Promise<void> => {
    const sentMs = options.nowMs();
    try {
      const orders = await options.feed.poll(options.report());
      if (stopping.signal.aborted) return;
      options.apply(orders, sentMs);
      lastAnswerMs = options.nowMs();
      if (fault !== null) options.log('info', 'api.back', {});
      fault = null;
    } catch (error) {
      const message = messageOf(error);
      // Said once for each kind of trouble: an API that is away for a day is one line, not a flood.
      if (message !== fault && !stopping.signal.aborted) options.log('warn', 'api.away', { error: message });
      fault = message;
    }
  };
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await ask();
      await pause(options.everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    lastAnswerMs: () => lastAnswerMs,
    stop: async () => {
      stopping.abort();
      await options.feed.close();
      await loop;
    },
  };
}
