import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * True for the very bytes that GitHub has signed. Only the header of SHA-256 counts: beside it GitHub still sends one of
 * SHA-1, which proves nothing. Compared in constant time, and before anything is parsed. No moment is signed, nor the
 * number of the delivery: whoever has kept a request may send it again, so what it does is done once by its body.
 */
export function isSignedByGitHub(
  { signature, body }: { readonly signature: string | undefined; readonly body: Buffer },
  secret: string,
): boolean {
  if (signature === undefined || !/^sha256=[0-9a-f]{64}$/.test(signature)) return false;
  const mac = createHmac('sha256', secret).update(body).digest('hex');
  return timingSafeEqual(Buffer.from(`sha256=${mac}`), Buffer.from(signature));
}
