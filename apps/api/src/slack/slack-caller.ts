import type { Member } from '@proviso/channels';
import type { Identity } from '@proviso/domain';
import type { Caller } from '../caller.ts';
import type { SlackConfig } from '../config.ts';
import { identityOf } from '../identity.ts';
import type { Parts } from '../parts.ts';

/** Somebody in Slack as a person of ours, or why they are nobody here. */
export type SlackAsker =
  | { readonly kind: 'known'; readonly caller: Caller }
  | { readonly kind: 'unlinked' }
  | { readonly kind: 'stranger' | 'shut_out'; readonly why: string };

/**
 * The account of a member: their own team and user id, and nothing that they could change. In an Enterprise Grid a person
 * has one id in all of its workspaces, so there the organisation vouches for it.
 */
export function slackIdentity(
  { teams }: Pick<SlackConfig, 'teams'>,
  { team, user }: Member,
  config: { readonly vaultKeyHex: string },
): Identity {
  const home = teams[0]?.startsWith('E') === true ? teams[0] : team;
  return identityOf({ issuer: `slack:${home}`, subject: user }, config);
}

/** Finds out who asks. Their rights are those of the person, of this moment, as everywhere. */
export async function slackAsker(
  { journal, config }: Pick<Parts, 'journal' | 'config'>,
  slack: Pick<SlackConfig, 'teams' | 'workspace'>,
  member: Member,
): Promise<SlackAsker> {
  if (!slack.teams.includes(member.team))
    return { kind: 'stranger', why: 'Guests of another Slack team decide nothing here: nothing was recorded.' };
  const principal = await journal.principalOfIdentity(slackIdentity(slack, member, config));
  if (principal === null || principal.workspace !== slack.workspace) return { kind: 'unlinked' };
  const { workspace } = principal;
  const reads = journal.reads(workspace);
  const person = await reads.person(principal.person);
  if (person === null) return { kind: 'unlinked' };
  if (person.disabled) return { kind: 'shut_out', why: 'You were shut out by an administrator: nothing was recorded.' };
  const door = { channel: 'slack', freshAt: null } as const;
  const caller = { workspace, person, reads, token: null, lentBy: null, scopes: null, session: null, door };
  return { kind: 'known', caller };
}
