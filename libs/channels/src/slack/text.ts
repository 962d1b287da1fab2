import type { KnownBlock, PlainTextElement } from '@slack/types';

/** Of plain text no client makes a mention, a link or bold letters, whatever stands in it. */
export function plain(text: string): PlainTextElement {
  // Slack takes no empty text, and a gate may have said nothing.
  return { type: 'plain_text', text: text === '' ? '–' : text, emoji: false };
}

/** A paragraph. */
export function paragraph(text: string): KnownBlock {
  return { type: 'section', text: plain(text) };
}
