/** The closed set of ways in which the store can break; an adapter maps its own errors to these and to nothing else. */
export type EvidenceFailureCode =
  | 'digest_malformed'
  | 'evidence_corrupt'
  | 'evidence_missing'
  | 'evidence_too_large'
  | 'evidence_unavailable';

/**
 * The store broke or its content cannot be trusted. Only `evidence_unavailable` is worth a retry: the others answer the
 * same way until a person or a new `put` changes what is stored.
 */
export class EvidenceFailure extends Error {
  readonly code: EvidenceFailureCode;
  readonly retryable: boolean;

  constructor(code: EvidenceFailureCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EvidenceFailure';
    this.code = code;
    this.retryable = code === 'evidence_unavailable';
  }
}

/** Wraps what the operating system or a network said; a failure that already has its code keeps it. */
export function asEvidenceFailure(error: unknown, doing: string): EvidenceFailure {
  if (error instanceof EvidenceFailure) return error;
  return new EvidenceFailure('evidence_unavailable', `expected to ${doing}, got ${systemCode(error)}`, error);
}

/** The short code of a system error such as `ENOENT`; messages are left out because they carry paths. */
export function systemCode(error: unknown): string {
  const told = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (typeof told === 'string') return told;
  return 'an unknown error';
}
