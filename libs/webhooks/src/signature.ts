import { createHmac } from 'node:crypto';

/** What is signed, and what a receiver compares (Standard Webhooks 1.0). */
export interface Message {
  /** The same at each try, so that a receiver knows what it has had already. */
  readonly id: string;
  readonly body: string;
}

/** A secret as its receiver is shown it. */
export function secretText(key: Buffer): string {
  return `whsec_${key.toString('base64')}`;
}

/**
 * The headers of one try. The time is that of the try and signed too, so that nobody who kept one can send it again much
 * later. While a secret is being replaced there is a signature under each: the receiver takes the one it can check.
 */
export function signedHeaders(
  { id, body }: Message,
  { secrets, now }: { readonly secrets: readonly string[]; readonly now: number },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
