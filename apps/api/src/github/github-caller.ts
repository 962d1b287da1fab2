import type { Identity } from '@proviso/domain';
import type { Caller } from '../caller.ts';
import type { GitHubConfig } from '../config.ts';
import { identityOf } from '../identity.ts';
import type { Parts } from '../parts.ts';

/** Somebody at GitHub as a person of ours, or why they are nobody here. */
export type GitHubAsker =
  | { readonly kind: 'known'; readonly caller: Caller }
  | { readonly kind: 'nobody'; readonly why: string; readonly page: string | null };

/** The account by its number, which is its own for good: a name can be given to another, and an address is a claim. */
export function githubIdentity(user: number, config: { readonly vaultKeyHex: string }): Identity {
  return identityOf({ issuer: 'github', subject: String(user) }, config);
}

/** Finds out who asks. Their rights are those of the person, of this moment, as everywhere. */
export async function githubAsker(
  { journal, config }: Pick<Parts, 'journal' | 'config'>,
  { workspace }: Pick<GitHubConfig, 'workspace'>,
  user: number,
): Promise<GitHubAsker> {
  const unlinked: GitHubAsker = {
    kind: 'nobody',
    why: 'This GitHub account is not linked to a person here, so nothing was recorded. Link it:',
    page: `${config.publicUrl}/account`,
  };
  const principal = await journal.principalOfIdentity(githubIdentity(user, config));
  if (principal === null || principal.workspace !== workspace) return unlinked;
  const reads = journal.reads(workspace);
  const person = await reads.person(principal.person);
  if (person === null) return unlinked;
  if (person.disabled)
    return { kind: 'nobody', why: 'You were shut out by an administrator: nothing was recorded.', page: null };
  const door = { channel: 'github', freshAt: null } as const;
  const caller = { workspace, person, reads, token: null, lentBy: null, scopes: null, session: null, door };
  return { kind: 'known', caller };
}
