import { createHmac } from 'node:crypto';
import type { Identity } from '@proviso/domain';

/**
 * An account as it is stored: its subject only as a digest under the deployment's key, since a bare hash of a number or
 * of an address could be found by guessing.
 */
export function identityOf(
  { issuer, subject }: { readonly issuer: string; readonly subject: string },
  { vaultKeyHex }: { readonly vaultKeyHex: string },
): Identity {
  const mac = createHmac('sha256', Buffer.from(vaultKeyHex, 'hex'));
  return { issuer, subject: `sha256:${mac.update(JSON.stringify(['identity', issuer, subject])).digest('hex')}` };
}
