import type { Identity } from '@proviso/domain';
import type { Caller } from '../caller.ts';
import { callerByChannel } from '../channel-caller.ts';
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

/** Finds out who asks, and where somebody who is nobody becomes known. */
export async function githubAsker(
  { journal, config }: Pick<Parts, 'journal' | 'config'>,
  { workspace }: Pick<GitHubConfig, 'workspace'>,
  user: number,
): Promise<GitHubAsker> {
  const asker = await callerByChannel(
    { journal },
    { channel: 'github', identity: githubIdentity(user, config), workspace },
  );
  switch (asker.kind) {
    case 'known':
      return asker;
    case 'shut_out':
      return { kind: 'nobody', why: asker.why, page: null };
    case 'unlinked':
      return {
        kind: 'nobody',
        why: 'This GitHub account is not linked to a person here, so nothing was recorded. Link it:',
        page: `${config.publicUrl}/account`,
      };
  }
}
