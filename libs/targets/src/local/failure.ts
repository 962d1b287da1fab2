/** How the world can break for a target; a closed list, because callers decide on it. */
export type TargetFailureCode =
  | 'unreachable'
  | 'unauthorised'
  | 'not_found'
  | 'conflict'
  | 'too_many'
  | 'bad_request'
  | 'bad_answer'
  | 'bad_manifest'
  | 'fetch_failed'
  | 'digest_mismatch'
  | 'secret_missing'
  | 'secret_unreadable'
  | 'secret_shared'
  | 'start_failed'
  | 'stop_failed';

/** The world broke. `retryable` says whether the same call may succeed later without anybody changing anything. */
export class TargetFailure extends Error {
  override readonly name = 'TargetFailure';
  readonly code: TargetFailureCode;
  readonly retryable: boolean;

  constructor(code: TargetFailureCode, message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable;
  }
}

/** One line for a log or a report about anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' && error.code !== '' ? ` (${error.code})` : '';
  return `${error.message || error.name}${error.message.includes(code.trim()) ? '' : code}`;
}
