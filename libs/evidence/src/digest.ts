import { createHash, type Hash } from 'node:crypto';
import { EvidenceFailure } from './evidence-failure.ts';

/** The address of a document: `sha256:` and 64 lower-case hexadecimal digits of the hash of its bytes. */
export type Digest = `sha256:${string}`;

/** The one spelling of a digest; upper case is refused so that one document never has two addresses. */
const digestForm = /^sha256:[0-9a-f]{64}$/;

/** Tells whether a text from outside is a digest in its one spelling. */
export function isDigest(text: string): text is Digest {
  return digestForm.test(text);
}

/** Turns a text into a digest or fails with `digest_malformed`; every path in a store is built only from its result. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new EvidenceFailure('digest_malformed', 'expected sha256: and 64 lower-case hexadecimal digits');
}

/** The digest of bytes that are already in memory. */
export function digestOf(bytes: Uint8Array): Digest {
  return finishDigest(createHash('sha256').update(bytes));
}

/** Closes a running hash into a digest; the hash cannot be used afterwards. */
export function finishDigest(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}`;
}
