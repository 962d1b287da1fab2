import type { PersonId, WorkspaceId } from '@proviso/domain';
import type { Parts } from './parts.ts';
import type { SigningIn } from './provider.ts';
import { type SealedNotes, sealedNotes } from './sealed-note.ts';

/** Longer than anybody takes to sign in with a second factor, shorter than a lunch break in front of an open screen. */
const signInWithinMs = 10 * 60_000;

/** What a sign-in has to remember, and the person whose second account it is about, if it is. */
export interface SignInNote extends SigningIn {
  readonly linksTo?: { readonly workspace: WorkspaceId; readonly person: PersonId };
}

/** Notes that go with the browser while its person is at the provider. */
export function signInNotes({ config, now }: Pick<Parts, 'config' | 'now'>): SealedNotes<SignInNote> {
  const { vaultKeyHex } = config;
  return sealedNotes({ vaultKeyHex, purpose: 'signing-in', validMs: signInWithinMs, now });
}
