import { refusal } from '@proviso/domain';
import type { Receipt } from '../port.ts';
import type { Reading } from './load.ts';

/** The no to a key that stands for another request: a retry that changed, or two clients that drew the same. */
export const keyConflict = refusal(
  'key_conflict',
  'expected the request that this key was first used for, got another',
);

/** The answer that a key was given before, if any. The same key with another command is a conflict. */
export function replayOf(reading: Pick<Reading, 'replay'>, commandHash: Buffer): Receipt | 'conflict' | null {
  const { replay } = reading;
  if (replay === null) return null;
  return replay.commandHash.equals(commandHash) ? { ...(replay.receipt as Receipt), replayed: true } : 'conflict';
}
