import type { Pump } from './pump/port.ts';
import { lead } from './pump/leadership.ts';
import { openSession } from './session.ts';

/** How the background leaders reach the database. */
export interface PumpOptions {
  /** Connects as a member of `proviso_pump`. */
  readonly url: string;
  readonly onError?: (error: Error) => void;
  readonly durable?: boolean;
}

/** Opens the leaders' side; refuses a role that could do more than its policies say. */
export async function openPump(options: PumpOptions): Promise<Pump> {
  const onError = options.onError ?? (() => undefined);
  const session = await openSession({ url: options.url, connectionsMax: 1, onError, durable: options.durable ?? true });
  return { lead: (name) => lead(options.url, name, onError), close: () => session.close() };
}
