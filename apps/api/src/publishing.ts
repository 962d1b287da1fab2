import { type Policy, type WorkspaceId, idFrom } from '@proviso/domain';
import { type Digest, type FolderStore, digestOf } from '@proviso/evidence';
import { policyOfSource } from './policy-source.ts';
import { uuidOfSeed } from './submission.ts';

/** A command that publishes, with the bytes that its digest names. */
export interface Publication {
  readonly command: {
    readonly kind: 'PublishPolicy';
    readonly policyId: `pol_${string}`;
    readonly policy: Policy;
    readonly digest: Digest;
    readonly author: `psn_${string}`;
    readonly weakerForMs?: number;
  };
  /** To be stored before the command is submitted: whoever learns the digest from the journal can read the source. */
  readonly bytes: Uint8Array;
}

/** Reads a source. The id comes from the name, so that two first publications of one name meet at one stream. */
export function publicationOf(
  source: string,
  by: { readonly workspace: WorkspaceId; readonly author: `psn_${string}`; readonly weakerForMs?: number },
): Publication {
  const policy = policyOfSource(source);
  const bytes = Buffer.from(source);
  const policyId = idFrom('pol', uuidOfSeed(`${by.workspace} policy ${policy.name}`));
  const { author, weakerForMs } = by;
  const weaker = weakerForMs === undefined ? {} : { weakerForMs };
  return { command: { kind: 'PublishPolicy', policyId, policy, digest: digestOf(bytes), author, ...weaker }, bytes };
}

/** The published source; null when the store lost it, which the digest in the journal then proves. */
export async function sourceOf(store: FolderStore, digest: Digest): Promise<string | null> {
  return (await store.has(digest)) ? Buffer.from(await store.get(digest)).toString('utf8') : null;
}
