/** How the journal itself can break. None of them means that the answer was no. */
export type JournalFailureCode =
  | 'unavailable'
  | 'outcome_unknown'
  | 'contention'
  | 'not_leader'
  | 'unsafe_role'
  | 'vault_unreadable';

/** The world broke. `retryable` says whether the same submission with the same key may be tried again. */
export class JournalFailure extends Error {
  readonly code: JournalFailureCode;
  readonly retryable: boolean;

  constructor(code: JournalFailureCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'JournalFailure';
    this.code = code;
    this.retryable = code === 'unavailable' || code === 'outcome_unknown' || code === 'contention';
  }
}
