import { createHash } from 'node:crypto';

/** How a token or a session's cookie is stored and looked up: only its hash is anywhere. */
export function hashOfToken(token: string): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}
