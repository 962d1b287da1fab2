/** The closed set of ways in which taking in can break without being the content's fault. */
export type IntakeFailureCode =
  | 'manifest_invalid'
  | 'rate_limited'
  | 'source_broke'
  | 'source_timeout'
  | 'source_unavailable'
  | 'target_not_empty'
  | 'temporary_folder';

const retryableCodes: ReadonlySet<IntakeFailureCode> = new Set([
  'rate_limited',
  'source_broke',
  'source_timeout',
  'source_unavailable',
  'temporary_folder',
]);

/** The world broke: nothing is known about the content. `retryAfterMs` is set where the other side told us. */
export class IntakeFailure extends Error {
  readonly code: IntakeFailureCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: IntakeFailureCode, message: string, more: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, 'cause' in more ? { cause: more.cause } : undefined);
    this.name = 'IntakeFailure';
    this.code = code;
    this.retryable = retryableCodes.has(code);
    this.retryAfterMs = more.retryAfterMs;
  }
}
