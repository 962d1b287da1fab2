import type { Member } from '@proviso/channels';
import type { Identity } from '@proviso/domain';
import { type ChannelCaller, callerByChannel } from '../channel-caller.ts';
import type { SlackConfig } from '../config.ts';
import { identityOf } from '../identity.ts';
import type { Parts } from '../parts.ts';

/** Somebody in Slack as a person of ours, or why they are nobody here. */
export type SlackAsker = ChannelCaller | { readonly kind: 'stranger'; readonly why: string };

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

/** Finds out who asks: whoever is of another team is nobody, linked or not. */
export async function slackAsker(
  { journal, config }: Pick<Parts, 'journal' | 'config'>,
  slack: Pick<SlackConfig, 'teams' | 'workspace'>,
  member: Member,
): Promise<SlackAsker> {
  if (!slack.teams.includes(member.team))
    return { kind: 'stranger', why: 'Guests of another Slack team decide nothing here: nothing was recorded.' };
  const identity = slackIdentity(slack, member, config);
  return await callerByChannel({ journal }, { channel: 'slack', identity, workspace: slack.workspace });
}
