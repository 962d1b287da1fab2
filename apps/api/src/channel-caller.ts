import type { Channel, Identity, WorkspaceId } from '@proviso/domain';
import type { Caller } from './caller.ts';
import type { Parts } from './parts.ts';

/** An account elsewhere as a person of ours, or why it is nobody here. */
export type ChannelCaller =
  | { readonly kind: 'known'; readonly caller: Caller }
  | { readonly kind: 'unlinked' }
  | { readonly kind: 'shut_out'; readonly why: string };

/** Finds out who asks by a channel. Their rights are those of the person, of this moment, as everywhere. */
export async function callerByChannel(
  { journal }: Pick<Parts, 'journal'>,
  {
    channel,
    identity,
    workspace,
  }: { readonly channel: Channel; readonly identity: Identity; readonly workspace: WorkspaceId },
): Promise<ChannelCaller> {
  const principal = await journal.principalOfIdentity(identity);
  if (principal === null || principal.workspace !== workspace) return { kind: 'unlinked' };
  const reads = journal.reads(workspace);
  const person = await reads.person(principal.person);
  if (person === null) return { kind: 'unlinked' };
  if (person.disabled) return { kind: 'shut_out', why: 'You were shut out by an administrator: nothing was recorded.' };
  const door = { channel, freshAt: null };
  const caller = { workspace, person, reads, token: null, lentBy: null, scopes: null, session: null, door };
  return { kind: 'known', caller };
}
