import { createHash } from 'node:crypto';
import type { KnownBlock } from '@slack/types';
import type { ApprovalTry, Told } from './decision-channel.ts';
import { type FakeSlack, slackOf } from './fake-slack.ts';
import { buttonsOf } from './fake-slack-member.ts';
import { type OutsidePlace, approveOutside } from './outside-decision.ts';
import { signIn } from './signed-in.ts';

/** As somebody in Slack does: look at the newest message, press, and read what they are told alone. */
export async function approveInSlack(order: ApprovalTry): Promise<Told> {
  const { apiUrl, token } = order;
  const slack = slackOf(apiUrl);
  const user = `U${createHash('sha256').update(token).digest('hex').slice(0, 12).toUpperCase()}`;
  const link = async () => await linkInSlack({ apiUrl, token, slack, user });
  return await approveOutside({ name: 'Slack', link, pressOn: pressesOf(slack, user) }, order);
}

/** Somebody who is to be known in Slack, with a token of their own for the page. */
export interface SlackLinking {
  readonly apiUrl: string;
  readonly token: string;
  readonly slack: FakeSlack;
  readonly user: string;
}

/** Signs in at the page and types in Slack what it shows; 200, or what the sign-in was answered with. */
export async function linkInSlack({ apiUrl, token, slack, user }: SlackLinking): Promise<number> {
  const pages = await signIn({ apiUrl, token });
  if (pages.status !== 303) return pages.status;
  const command = /data-command>\/proviso (link [\w-]+)</.exec(await pages.look('/slack/link'))?.[1] ?? '';
  const { body: said } = await slack.member(user).type(command).send();
  if (!JSON.stringify(said).includes('is linked'))
    throw new Error(`expected an account to be linked, got ${JSON.stringify(said)}`);
  return 200;
}

function pressesOf(slack: FakeSlack, user: string): OutsidePlace['pressOn'] {
  return (gate, attempt) => {
    const wanted = attempt === null ? '' : `${attempt} `;
    const found = slack
      .messages()
      .flatMap((message) =>
        message.drawn.filter((blocks) => isAsking(blocks, gate, wanted)).map((blocks) => ({ ...message, blocks })),
      );
    const last = found.at(-1);
    return last === undefined ? null : slack.member(user).press(last, 'approve');
  };
}

function isAsking(blocks: readonly KnownBlock[], address: string, wanted: string): boolean {
  const approve = buttonsOf(blocks).find(({ action_id }) => action_id === 'approve');
  const isAbout = JSON.stringify(blocks).includes(address);
  return isAbout && approve !== undefined && (approve.value ?? '').slice(44).startsWith(wanted);
}
