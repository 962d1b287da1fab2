import { IntakeFailure } from './intake-failure.ts';
import { Refused } from './refusal.ts';

/** Without a word from GitHub about when to come back, this is its own advice for secondary limits. */
const RETRY_AFTER_DEFAULT_MS = 60_000;

/** A server that names a longer wait is believed up to here, so that a wrong clock cannot park an intake for days. */
const RETRY_AFTER_MAX_MS = 3_600_000;

/**
 * Tells what an error of the client means: an answer about the source (refused), or a breakage that may pass. The
 * client's own messages carry addresses and are left in the cause only.
 */
export function githubTrouble(error: unknown, timedOut: boolean): unknown {
  if (error instanceof Refused) return error;
  if (timedOut) return new IntakeFailure('source_timeout', 'expected github to answer in time, got silence');
  // Failures of the store, of the disk and of the stream already say what they are.
  if (!isRequestError(error)) return error;
  if (isRateLimit(error)) {
    const retryAfterMs = retryAfterMsOf(error);
    return new IntakeFailure('rate_limited', 'expected github to answer, got its rate limit', { retryAfterMs });
  }
  switch (error.status) {
    case 404:
    case 409: // An empty repository.
    case 422: // No commit of that name.
    case 451:
      return new Refused('source_not_found', 'expected a repository with that commit, got none that we may see');
    case 401:
    case 403:
      return new Refused(
        'source_not_permitted',
        `expected a token with access to contents, got status ${error.status}`,
      );
    default:
      return new IntakeFailure('source_unavailable', `expected an answer of github, got status ${error.status}`, {
        cause: error,
      });
  }
}

/** What the client throws for an answer of 400 and above, and with status 500 and no response for a lost connection. */
type RequestError = {
  readonly name: 'HttpError';
  readonly status: number;
  readonly response?: { readonly headers: Readonly<Record<string, string | number | undefined>> };
};

/** A primary limit is 403 or 429 with nothing remaining, a secondary one names when to come back. */
function isRateLimit(error: RequestError): boolean {
  if (error.status !== 403 && error.status !== 429) return false;
  const headers = error.response?.headers;
  return error.status === 429 || headers?.['retry-after'] !== undefined || headers?.['x-ratelimit-remaining'] === '0';
}

/** Both times are counted from GitHub's own clock, which stands in `date`. */
function retryAfterMsOf(error: RequestError): number {
  const headers = error.response?.headers ?? {};
  const seconds = Number(headers['retry-after']);
  if (Number.isFinite(seconds)) return bounded(seconds * 1000);
  const resetMs = Number(headers['x-ratelimit-reset']) * 1000;
  const answeredMs = Date.parse(String(headers['date']));
  return Number.isFinite(resetMs - answeredMs) ? bounded(resetMs - answeredMs) : RETRY_AFTER_DEFAULT_MS;
}

function bounded(waitMs: number): number {
  return Math.min(Math.max(waitMs, 0), RETRY_AFTER_MAX_MS);
}

function isRequestError(error: unknown): error is RequestError {
  return (
    typeof error === 'object' && error !== null && 'name' in error && error.name === 'HttpError' && 'status' in error
  );
}
