import { EvidenceFailure } from '@proviso/evidence';
import { type Refusal as IntakeRefusal, IntakeFailure } from '@proviso/intake';
import { JournalFailure, type Receipt } from '@proviso/journal';
import type { Refusal } from '@proviso/domain';

/** One mistake in what was sent, with a JSON pointer to its place. */
export interface ProblemDetail {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** The answer no in the form of RFC 9457. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  /** The caller's trace, or the one that was begun for this request. */
  readonly traceId?: string;
  readonly rule?: string;
  readonly whoCan?: readonly string[];
  /** Where it can be decided after a fresh login, relative to the API's public address. */
  readonly decideUrl?: string;
  readonly errors?: readonly ProblemDetail[];
}

/** Carries a no from a parse or a read to the one place that answers; a refusal of the journal becomes one too. */
export class Problem extends Error {
  readonly code: string;
  readonly more: {
    readonly rule?: string;
    readonly whoCan?: readonly string[];
    readonly decideUrl?: string;
    readonly errors?: readonly ProblemDetail[];
    readonly retryAfterSeconds?: number;
    /** An entry of its own tells it already, so no sum has to. */
    readonly recorded?: true;
  };

  constructor(code: string, message: string, more: Problem['more'] = {}) {
    super(message);
    this.name = 'Problem';
    this.code = code;
    this.more = more;
  }
}

/** Every code that can be answered and its status: the only place where HTTP numbers are chosen. */
const statusOf: Readonly<Record<string, number>> = {
  malformed_request: 400,
  sign_in_refused: 400,
  unauthenticated: 401,
  signature_invalid: 401,
  not_permitted: 403,
  own_work: 403,
  person_disabled: 403,
  nobody_answers: 403,
  channel_not_allowed: 403,
  step_up_required: 403,
  scope_missing: 403,
  cross_site: 403,
  not_found: 404,
  candidate_unknown: 404,
  method_not_allowed: 405,
  exists: 409,
  quota_reached: 409,
  artifact_needed: 409,
  too_many: 409,
  key_conflict: 409,
  gate_closed: 409,
  already_decided: 409,
  stale_attempt: 409,
  stale_fence: 409,
  expired: 409,
  superseded: 409,
  promotion_ended: 409,
  production_started: 409,
  no_owner: 409,
  lane_held: 409,
  lane_busy: 409,
  lane_not_owned: 409,
  weight_not_due: 409,
  canary_paused: 409,
  not_trusted: 409,
  not_configured: 422,
  reserved_name: 422,
  preview_unavailable: 409,
  nothing_to_roll_back: 409,
  policy_unsatisfiable: 409,
  policy_weaker: 409,
  artifact_removed: 410,
  stale_evidence: 412,
  stale_revision: 412,
  revision_not_reached: 412,
  too_large: 413,
  bomb: 413,
  too_many_files: 413,
  uri_too_long: 414,
  unsupported_media_type: 415,
  invalid: 422,
  report_invalid: 422,
  policy_unknown: 422,
  policy_invalid: 422,
  limits_invalid: 422,
  reason_required: 422,
  scopes_required: 422,
  commit_mismatch: 409,
  until_invalid: 422,
  review_due: 409,
  webhook_stopped: 409,
  webhook_invalid: 422,
  nothing_live: 409,
  too_many_refusals: 429,
  too_many_uploads: 429,
  too_many_readers: 429,
  headers_too_large: 431,
  internal: 500,
  unavailable: 503,
  outcome_unknown: 503,
  contention: 503,
  evidence_unavailable: 503,
  source_unavailable: 503,
  provider_unavailable: 503,
};

/** The status of a code. What has no line is a mistake in what was sent: intake has a dozen names for those. */
export function httpStatusOf(code: string): number {
  return statusOf[code] ?? 422;
}

/** A pause that lets a database restart or a lock pass; a retry with the same key is safe. */
const retryAfterSeconds = 1;

/** The problem of anything that was thrown. What nobody planned is told as `internal`, without a word of its message. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof JournalFailure) return ofJournal(error);
  if (error instanceof EvidenceFailure) return ofEvidence(error);
  if (error instanceof IntakeFailure) {
    const seconds = Math.ceil((error.retryAfterMs ?? retryAfterSeconds * 1_000) / 1_000);
    return error.retryable
      ? new Problem('source_unavailable', error.message, { retryAfterSeconds: seconds })
      : new Problem('invalid', error.message);
  }
  return ofServer(error);
}

/** The problem of a refusal by the domain or by the authority; a door that says it by itself has recorded nothing. */
export function problemOfRefusal(
  { code, message, rule, whoCan }: Refusal,
  recorded: { readonly recorded?: true } = { recorded: true },
): Problem {
  const told = { ...(rule === undefined ? {} : { rule }), ...(whoCan === undefined ? {} : { whoCan }) };
  return new Problem(code, message, { ...told, ...recorded });
}

/** The problem of content that was not taken in. */
export function problemOfIntake({ code, message, pointer }: IntakeRefusal): Problem {
  return new Problem(code, message, { errors: [{ pointer: pointer ?? '', code, message }] });
}

/** The accepted receipt, or the refusal thrown as a problem. */
export function accepted(receipt: Receipt, decideUrl: string | null = null): Extract<Receipt, { kind: 'accepted' }> {
  if (receipt.kind !== 'refused') return receipt;
  const problem = problemOfRefusal(receipt.refusal);
  if (problem.code !== 'step_up_required' || decideUrl === null) throw problem;
  throw new Problem(problem.code, problem.message, { ...problem.more, decideUrl });
}

/** The body as sent. */
export function bodyOfProblem(
  problem: Problem,
  { requestId, traceId }: { readonly requestId: string; readonly traceId?: string },
): ProblemBody {
  const { rule, whoCan, decideUrl, errors } = problem.more;
  return {
    type: `urn:proviso:problem:${problem.code}`,
    title: problem.code.replaceAll('_', ' '),
    status: httpStatusOf(problem.code),
    code: problem.code,
    detail: problem.message,
    requestId,
    ...(traceId === undefined ? {} : { traceId }),
    ...(rule === undefined ? {} : { rule }),
    ...(whoCan === undefined ? {} : { whoCan }),
    ...(decideUrl === undefined ? {} : { decideUrl }),
    ...(errors === undefined ? {} : { errors }),
  };
}

function ofJournal(failure: JournalFailure): Problem {
  switch (failure.code) {
    case 'outcome_unknown':
      return new Problem(
        'outcome_unknown',
        'whether this was recorded is not known: retry with the same Idempotency-Key',
        {
          retryAfterSeconds,
        },
      );
    case 'contention':
    case 'unavailable':
      return new Problem(failure.code, 'nothing was recorded: retry with the same Idempotency-Key', {
        retryAfterSeconds,
      });
    default:
      return new Problem('internal', 'something broke on our side');
  }
}

function ofEvidence(failure: EvidenceFailure): Problem {
  switch (failure.code) {
    case 'digest_malformed':
    case 'evidence_missing':
      return new Problem('not_found', 'expected a known document');
    case 'evidence_too_large':
      return new Problem('too_large', failure.message);
    case 'evidence_unavailable':
      return new Problem('evidence_unavailable', 'the evidence store does not answer', { retryAfterSeconds });
    case 'evidence_corrupt':
      return new Problem('internal', 'the stored document is not the one that was put');
  }
}

/** Codes with which the server and its parsers refuse a request before any of our lines runs. */
const serverCodes: Readonly<Record<number, string>> = {
  400: 'malformed_request',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'unsupported_media_type',
  408: 'malformed_request',
  413: 'too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  431: 'headers_too_large',
};

function ofServer(error: unknown): Problem {
  const status = statusIn(error);
  const code = serverCodes[status];
  if (code !== undefined) return new Problem(code, wordsFor[code] ?? 'expected another request');
  return status >= 400 && status < 500
    ? new Problem('malformed_request', 'expected a readable request')
    : new Problem('internal', 'something broke on our side');
}

const wordsFor: Readonly<Record<string, string>> = {
  malformed_request: 'expected a readable request',
  not_found: 'expected a known address',
  method_not_allowed: 'expected another method',
  too_large: 'expected a smaller body',
  uri_too_long: 'expected a shorter address',
  unsupported_media_type: 'expected another content type',
  headers_too_large: 'expected shorter headers',
};

function statusIn(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 500;
  if ('getStatus' in error && typeof error.getStatus === 'function') return Number(error.getStatus());
  return 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
}
