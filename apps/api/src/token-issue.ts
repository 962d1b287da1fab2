import { createHmac } from 'node:crypto';
import { type PersonId, type Scope, type TokenRecord, idFrom } from '@proviso/domain';
import { hashOfToken } from './hash-of-token.ts';
import type { Parts } from './parts.ts';
import { timeOf } from './person-ref.ts';
import type { Intent } from './submission.ts';

const dayMs = 86_400_000;

/** A token on its way to its person: told once in the answer, stored as its hash. */
export interface TokenIssue {
  readonly record: Omit<TokenRecord, 'issuedBy'>;
  readonly shown: {
    readonly id: string;
    readonly token: string;
    readonly expiresAt: string;
    readonly scopes: Scope[] | null;
  };
}

/** Makes the token of one request; a retry of the same request makes the very same one. */
export function tokenFor(
  { config, now }: Pick<Parts, 'config' | 'now'>,
  { caller, key, draw }: Intent,
  { person, validDays, scopes }: { person: PersonId; validDays: number; scopes?: readonly Scope[] | undefined },
): TokenIssue {
  // Out of our key and the sender's: a retry whose first answer was lost gets the same token, and nothing is stored.
  const secret = createHmac('sha256', Buffer.from(config.vaultKeyHex, 'hex'))
    .update(`token ${caller.workspace} ${caller.person.id} ${person} ${key}`)
    .digest('base64url');
  const token = `prv_${secret}`;
  // To the end of a day, so that a retry asks for the very same thing.
  const expiresAt = (Math.floor(now() / dayMs) + 1 + validDays) * dayMs;
  const id = idFrom('tok', draw(`token ${person}`));
  const narrowed = scopes === undefined ? {} : { scopes: [...new Set(scopes)].sort() };
  return {
    record: { id, hash: hashOfToken(token), expiresAt, ...narrowed },
    shown: { id, token, expiresAt: timeOf(expiresAt), scopes: narrowed.scopes ?? null },
  };
}
