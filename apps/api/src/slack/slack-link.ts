import type { Member } from '@proviso/channels';
import type { PersonId, WorkspaceId } from '@proviso/domain';
import { refusedWords } from '../decide-told.ts';
import { capital } from '../decision-words.ts';
import type { SlackAsker } from './slack-caller.ts';
import { slackIdentity } from './slack-caller.ts';
import type { SlackParts } from './slack-desk.ts';
import { seedOf, submitByChannel } from '../channel-submission.ts';

/**
 * What a person who is freshly signed in at our page takes over to Slack. It goes from us to Slack and never the other
 * way: a link that began in Slack could be sent to somebody else, who would then give their rights to its sender.
 */
export interface SlackLinking {
  readonly workspace: WorkspaceId;
  readonly person: PersonId;
  /** Makes a second use by another account a conflict. */
  readonly key: string;
  readonly authenticatedAt: number | null;
}

const expected = 'expected what the page shows now: it is good for five minutes, and for one account';

/** Links the account that typed it to the person who was shown it. */
export async function linkAccount(parts: SlackParts, member: Member, code: string): Promise<string> {
  const { slack, journal, links, config } = parts;
  if (!slack.teams.includes(member.team)) return 'Guests of another Slack team are not linked here.';
  const linking = links.open(code);
  if (linking === null || linking.workspace !== slack.workspace) return `Not linked: ${expected}.`;
  const { workspace, person, key, authenticatedAt } = linking;
  const receipt = await journal.submit({
    ...{ workspace, actor: person, idempotencyKey: `slack-link/${key}`, authn: 'session/page' },
    command: { kind: 'LinkIdentity', person, identity: slackIdentity(slack, member, config) },
    door: { channel: 'page', freshAt: authenticatedAt },
  });
  if (receipt.kind === 'accepted') return 'Your Slack account is linked: what you press here counts as yours.';
  const { code: why, message } = receipt.refusal;
  return why === 'key_conflict' ? `Not linked: ${expected}.` : `Not linked: ${message}.`;
}

/** Takes the link away; everybody may do so by the account itself. */
export async function unlinkAccount(parts: SlackParts, asker: SlackAsker, order: { member: Member; id: string }) {
  if (asker.kind !== 'known') return 'Your Slack account is not linked.';
  const { caller } = asker;
  const identity = slackIdentity(parts.slack, order.member, parts.config);
  const command = { kind: 'UnlinkIdentity', person: caller.person.id, identity } as const;
  const receipt = await submitByChannel(parts, caller, { deed: ['unlink', order.id], command });
  if (receipt.kind === 'accepted') return 'Your Slack account is not linked any more.';
  const { code, message } = receipt.refusal;
  return `${refusedWords[code] ?? 'Nothing was recorded.'} ${capital(message)}.`;
}

/** The key of a new linking. */
export function linkingKey(uuid: string): string {
  return seedOf(['linking', uuid]);
}
