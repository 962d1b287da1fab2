import { type Digest, isDigest } from '@proviso/domain';
import type { ActionsBlock, Button } from '@slack/types';
import type { Ask } from '../bulletin.ts';
import { plain } from './text.ts';

/** What can be pressed. `open` leads to a page of ours and does nothing here. */
export const slackActions = ['approve', 'request_changes', 'reject', 'delegate', 'roll_back', 'open'] as const;
/** One of them. */
export type SlackAction = (typeof slackActions)[number];

/** What stood before the eyes of whoever pressed: the copy, and what a decision on it is bound to. */
export interface Pressed {
  readonly token: string;
  readonly attempt: number;
  readonly artifact: Digest;
  readonly evidenceDigest: Digest;
}

/** A button carries what was shown with it, so that a vote is about that, whatever we have drawn since. */
export function valueOf({ token, attempt, artifact, evidenceDigest }: Pressed): string {
  return [token, attempt, artifact, evidenceDigest].join(' ');
}

/** Reads a value; null for what is none of ours. */
export function pressedIn(value: string): Pressed | null {
  const [token = '', count = '', artifact = '', evidenceDigest = '', ...rest] = value.split(' ');
  if (rest.length > 0 || !isToken(token) || !/^\d{1,6}$/.test(count)) return null;
  if (!isDigest(artifact) || !isDigest(evidenceDigest)) return null;
  return { token, attempt: Number(count), artifact, evidenceDigest };
}

/** The form of a copy's token. */
export function isToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** The buttons of an asking. Where the policy wants people elsewhere there is only the way to that place. */
export function askButtons(
  pressed: Pressed,
  { ask, page }: { readonly ask: Ask; readonly page: string },
): ActionsBlock {
  const isHere = !ask.stepUp && (ask.channels === null || ask.channels.includes('slack'));
  if (!isHere) return row([{ ...button('open', 'Review and approve'), url: page, style: 'primary' }]);
  const value = valueOf(pressed);
  return row([
    { ...button('approve', 'Approve', value), style: 'primary' },
    button('request_changes', 'Request changes', value),
    { ...button('reject', 'Reject', value), style: 'danger' },
    button('delegate', 'Delegate', value),
    { ...button('open', 'Review'), url: page },
  ]);
}

/** Takes a version back from users; what it is bound to is the promotion alone. */
export function rollBackButton(token: string): ActionsBlock {
  return row([{ ...button('roll_back', 'Roll back', token), style: 'danger' }]);
}

function row(elements: Button[]): ActionsBlock {
  return { type: 'actions', block_id: 'actions', elements };
}

function button(action: SlackAction, words: string, value?: string): Button {
  return { type: 'button', action_id: action, text: plain(words), ...(value === undefined ? {} : { value }) };
}
