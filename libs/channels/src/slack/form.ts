import { type DecisionVerdict, delegationDaysMax } from '@proviso/domain';
import type { ModalView } from '@slack/types';
import { paragraph, plain } from './text.ts';

/** The forms that we open, by their `callback_id`. */
export const slackForms = ['reject', 'request_changes', 'delegate', 'roll_back'] as const;
/** One of them. */
export type SlackForm = (typeof slackForms)[number];

/** As long as a reason may be at every other door. */
const reasonMax = 2_000;

const words: Readonly<Record<SlackForm, { readonly title: string; readonly send: string; readonly asks: string }>> = {
  reject: { title: 'Reject', send: 'Reject', asks: 'Why? It ends this promotion, and everybody here reads it.' },
  request_changes: { title: 'Request changes', send: 'Send', asks: 'What is to be changed? Everybody here reads it.' },
  delegate: { title: 'Delegate', send: 'Delegate', asks: 'Who votes in your stead?' },
  roll_back: { title: 'Roll back', send: 'Roll back', asks: 'Why? Users are taken off this version at once.' },
};

/** What a form is about comes back with it as it was: which button of which copy, with the digests that were shown. */
export function formView(form: SlackForm, about: string): ModalView {
  const { title, send, asks } = words[form];
  const frame = { type: 'modal' as const, callback_id: form, private_metadata: about };
  const blocks = form === 'delegate' ? delegateInputs(asks) : [reasonInput(asks)];
  return { ...frame, title: plain(title), submit: plain(send), close: plain('Cancel'), blocks };
}

/** What came of a form, in its own place. */
export function toldView(text: string): ModalView {
  return { type: 'modal', title: plain('Proviso'), close: plain('Close'), blocks: [paragraph(text)] };
}

/** The verdict that a form stands for. */
export function verdictOf(form: string): DecisionVerdict | null {
  return form === 'reject' || form === 'request_changes' ? form : null;
}

type Input = Extract<ModalView['blocks'][number], { type: 'input' }>;

function reasonInput(asks: string): Input {
  const element = { type: 'plain_text_input' as const, action_id: 'reason', multiline: true, max_length: reasonMax };
  return { type: 'input', block_id: 'reason', label: plain(asks), element };
}

function delegateInputs(asks: string): Input[] {
  const options = [1, 3, 7, 14, 30, delegationDaysMax].map((days) => ({
    text: plain(days === 1 ? '1 day' : `${days} days`),
    value: String(days),
  }));
  return [
    { type: 'input', block_id: 'user', label: plain(asks), element: { type: 'users_select', action_id: 'user' } },
    {
      ...{ type: 'input', block_id: 'days', label: plain('For how long?') },
      element: { type: 'static_select', action_id: 'days', options },
    },
  ];
}
