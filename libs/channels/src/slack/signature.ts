import { createHmac, timingSafeEqual } from 'node:crypto';

/** Slack's own window: an older request may be one that somebody has kept. */
const windowSeconds = 300;

/** What Slack sends with each request, as it came. */
export interface SignedRequest {
  readonly signature: string | undefined;
  readonly timestamp: string | undefined;
  readonly body: Buffer;
}

/**
 * True for the very bytes that Slack has signed within its window. Only version 0 with SHA-256 exists; a header of any
 * other form, such as the SHA-1 of others, is none. Compared in constant time, and before anything is parsed.
 */
export function isSignedBySlack(
  { signature, timestamp, body }: SignedRequest,
  { signingSecret, nowMs }: { readonly signingSecret: string; readonly nowMs: number },
): boolean {
  if (signature === undefined || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > windowSeconds) return false;
  const mac = createHmac('sha256', signingSecret).update(`v0:${timestamp}:`).update(body).digest('hex');
  return timingSafeEqual(Buffer.from(`v0=${mac}`), Buffer.from(signature));
}
