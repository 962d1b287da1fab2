import { createHash } from 'node:crypto';
import type { KnownBlock } from '@slack/types';
import type { ApprovalTry, Told } from './decision-channel.ts';
import { type FakeSlack, type FakeSlackMessage, slackOf } from './fake-slack.ts';
import { buttonsOf } from './fake-slack-member.ts';

/** Messages follow within a second or two; on a busy machine it may take longer. */
const messageMsMax = 20_000;

/** As somebody in Slack does: link the account once, look at the message, press, and read what they are told alone. */
export async function approveInSlack({ apiUrl, token, promotion }: ApprovalTry): Promise<Told> {
  const slack = slackOf(apiUrl);
  const user = `U${createHash('sha256').update(token).digest('hex').slice(0, 12).toUpperCase()}`;
  const status = await linked({ apiUrl, token, slack, user });
  if (status !== 200) return { recorded: false, passed: false, code: 'unauthenticated', status };
  const message = await pressable(slack, { apiUrl, token, promotion });
  const deed = slack.member(user).press(message, 'approve');
  const answer = await deed.send();
  const said = await deed.told();
  const code = /\(([a-z_]+)\)$/.exec(said)?.[1] ?? null;
  const recorded = said.startsWith('Recorded');
  return { recorded, passed: said.includes('has passed'), code: recorded ? null : code, status: answer.status };
}

/** By deployment and token: an account is linked once. */
const links = new Map<string, Promise<number>>();

/** Somebody who is to be known in Slack, with a token of their own for the page. */
export interface SlackLinking {
  readonly apiUrl: string;
  readonly token: string;
  readonly slack: FakeSlack;
  readonly user: string;
}

/** 200, or what the sign-in was answered with. */
async function linked(linking: SlackLinking): Promise<number> {
  const key = `${linking.apiUrl} ${linking.token}`;
  const known = links.get(key) ?? linkInSlack(linking);
  links.set(key, known);
  return await known;
}

/** Signs in at the page and types in Slack what it shows; 200, or what the sign-in was answered with. */
export async function linkInSlack({ apiUrl, token, slack, user }: SlackLinking): Promise<number> {
  const body = new URLSearchParams({ token });
  const signedIn = await fetch(`${apiUrl}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: apiUrl },
    body,
  });
  if (signedIn.status !== 303) return signedIn.status;
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const page = await (await fetch(`${apiUrl}/slack/link`, { headers: { cookie } })).text();
  const command = /data-command>\/proviso (link [\w-]+)</.exec(page)?.[1] ?? '';
  const { body: said } = await slack.member(user).type(command).send();
  if (!JSON.stringify(said).includes('is linked'))
    throw new Error(`expected an account to be linked, got ${JSON.stringify(said)}`);
  return 200;
}

/** The newest message to press; whoever may look waits for the one about what is asked now. */
async function pressable(
  slack: FakeSlack,
  { apiUrl, token, promotion }: ApprovalTry,
): Promise<Pick<FakeSlackMessage, 'channel' | 'ts' | 'blocks'>> {
  const address = `gate_${promotion.slice('prm_'.length)}-approval`;
  const headers = { authorization: `Bearer ${token}` };
  const gate = (await (await fetch(`${apiUrl}/v1/gates/${address}`, { headers })).json()) as {
    readonly status?: string;
    readonly evidenceDigest?: string;
    readonly attempt?: number;
  };
  const wanted = gate.status === 'waiting' ? `${gate.attempt} ` : '';
  const endsAt = performance.now() + messageMsMax;
  while (performance.now() < endsAt) {
    const found = slack
      .messages()
      .flatMap((message) =>
        message.drawn.filter((blocks) => isAsking(blocks, address, wanted)).map((blocks) => ({ ...message, blocks })),
      );
    const last = found.at(-1);
    if (last !== undefined) return last;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`expected a message about ${promotion} to press, got none`);
}

function isAsking(blocks: readonly KnownBlock[], address: string, wanted: string): boolean {
  const approve = buttonsOf(blocks).find(({ action_id }) => action_id === 'approve');
  const isAbout = JSON.stringify(blocks).includes(address);
  return isAbout && approve !== undefined && (approve.value ?? '').slice(44).startsWith(wanted);
}
