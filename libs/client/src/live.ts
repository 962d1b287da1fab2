import type { ConnectionOptions } from './connection.ts';

/** One entry of the journal as live events tell it: what happened to what, never what is in it. */
export interface LiveEntry {
  /** What to go on from: give it as `lastEventId` and everything after it comes, once each. */
  readonly id: string;
  readonly stream: string;
  readonly streamId: string;
  readonly sequence: number;
  readonly kind: string;
  readonly at: string;
}

/** How to follow. */
export interface LiveOptions extends ConnectionOptions {
  /** Where to go on; without it, what happens from now on. */
  readonly lastEventId?: string;
  readonly onEntry: (entry: LiveEntry) => void;
  /** The log is another one than the id was of, after a backup was put back: what is shown must be read anew. */
  readonly onReset: () => void;
  /** The line is open, or it broke and is tried again. */
  readonly onLine?: (open: boolean) => void;
  readonly signal: AbortSignal;
}

/** The server says something every 15 s; a line that is silent for longer than two of these is dead. */
const silenceMsMax = 35_000;
/** A server that is restarted is back within seconds. */
const retryMsMin = 500;
const retryMsMax = 5_000;

/** The answer was no, and will be no again. */
export class LiveRefused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`expected to be let in to live events, got status ${status}`);
    this.name = 'LiveRefused';
    this.status = status;
  }
}

/**
 * Follows live events until the signal, over broken lines and restarts: each time it goes on behind the last entry that it
 * was told. Throws only when the server does not let it in.
 */
export async function followLive(options: LiveOptions): Promise<void> {
  const { signal, onLine } = options;
  let lastEventId = options.lastEventId;
  let retryMs = retryMsMin;
  const told = (event: ServerEvent): void => {
    if (event.id !== '') lastEventId = event.id;
    retryMs = retryMsMin;
    if (event.name === 'reset') options.onReset();
    else if (event.data !== '') options.onEntry({ ...(JSON.parse(event.data) as Omit<LiveEntry, 'id'>), id: event.id });
  };
  while (!signal.aborted) {
    try {
      await followOnce(options, lastEventId, told);
    } catch (error) {
      if (error instanceof LiveRefused) throw error;
      // Whatever else it was, the line is gone, and asking again tells more than its error.
    }
    if (signal.aborted) return;
    onLine?.(false);
    await pause(retryMs, signal);
    retryMs = Math.min(retryMs * 2, retryMsMax);
  }
}

interface ServerEvent {
  readonly name: string;
  readonly id: string;
  readonly data: string;
}

async function followOnce(
  { baseUrl, token, signal, onLine }: LiveOptions,
  lastEventId: string | undefined,
  told: (event: ServerEvent) => void,
): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMsMax);
  try {
    const answer = await fetch(new URL('/v1/events', baseUrl), {
      headers: {
        authorization: `Bearer ${token}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      },
      cache: 'no-store',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if ([401, 403, 404].includes(answer.status)) throw new LiveRefused(answer.status);
    if (!answer.ok || answer.body === null) return;
    onLine?.(true);
    let text = '';
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMsMax);
      const blocks = `${text}${part.value}`.split('\n\n');
      text = blocks.pop() ?? '';
      for (const event of blocks.map(eventIn)) if (event.name !== '') told(event);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** One block of the stream. Comments have no name. */
function eventIn(block: string): ServerEvent {
  const field = (name: string): string => {
    const line = block.split('\n').find((one) => one.startsWith(`${name}: `));
    return line?.slice(name.length + 2) ?? '';
  };
  return { name: field('event'), id: field('id'), data: field('data') };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
