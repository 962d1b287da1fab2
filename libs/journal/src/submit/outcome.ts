import { JournalFailure } from '../failure.ts';
import type { Receipt } from '../port.ts';
import type { Reading } from './load.ts';

/** The answer that a key was given before, if any. The same key with another command is a conflict. */
export function replayOf(reading: Pick<Reading, 'replay'>, commandHash: Buffer): Receipt | null {
  const { replay } = reading;
  if (replay === null) return null;
  if (!replay.commandHash.equals(commandHash)) {
    throw new JournalFailure(
      'key_conflict',
      'expected a fresh idempotency key, got one that was used for another request',
    );
  }
  return { ...(replay.receipt as Receipt), replayed: true };
}
