import { JournalFailure, type Pump } from '@proviso/journal';
import { Client, Connection } from '@temporalio/client';
import { nameOf } from './leaders/leader.ts';
import type { Clock, Log } from './ports.ts';
import { workerIdentity } from './temporal-workers.ts';

const retryMs = 1_000;
const connectMsMax = 5_000;

/**
 * Opens something of the journal, waiting for a database that is not up yet. A role that could do too much, or a vault key
 * that fits nothing, is thrown: waiting would not mend it.
 */
export async function openPatiently<Opened>(
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
  open: () => Promise<Opened>,
): Promise<Opened> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await open();
    } catch (error) {
      const hopeless = error instanceof JournalFailure && !error.retryable;
      if (hopeless || signal.aborted) throw error;
      if (tries === 1) log.warn({ error: nameOf(error) }, 'journal.away');
      await clock.pause(retryMs, signal);
    }
  }
}

/** Keeps what was opened and opens it once: a failed try leaves nothing behind. */
export function once<Opened>(open: () => Promise<Opened>): () => Promise<Opened> {
  let opening: Promise<Opened> | null = null;
  return async () => {
    opening ??= open();
    try {
      return await opening;
    } catch (error) {
      opening = null;
      throw error;
    }
  };
}

/** Temporal's client for the leaders; its channel reconnects by itself once it has been connected. */
export async function connectClient(address: string, namespace: string): Promise<Client> {
  const connection = await Connection.connect({ address, connectTimeout: connectMsMax });
  return new Client({ connection, namespace, identity: workerIdentity });
}

/** Closes a pump that was opened, if it was. */
export async function closePump(pump: () => Promise<Pump>): Promise<void> {
  await (await pump()).close();
}
