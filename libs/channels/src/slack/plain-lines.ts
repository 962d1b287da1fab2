import type { KnownBlock } from '@slack/types';
import { type Bulletin, isAsking } from '../bulletin.ts';
import { slackWishes } from './copy.ts';
import { slackMessage } from './message.ts';

/** What whoever is asked would read in Slack, for a place without Slack; null while nobody is asked. Documents are left out: they are many. */
export function slackAsking(bulletin: Bulletin): readonly string[] | null {
  if (!isAsking(bulletin.ask)) return null;
  const brief = { ...bulletin, checks: bulletin.checks.map((check) => ({ ...check, evidence: [] })) };
  const wish = slackWishes(brief, { main: 'anywhere', groups: {} }).find(({ key }) => key.includes('/ask/'));
  const message = wish === undefined ? null : slackMessage({ key: wish.key, token: '' }, brief);
  return message === null ? null : plainLines(message.blocks);
}

/** Blocks as lines for a terminal: links with their addresses, buttons in brackets. */
export function plainLines(blocks: readonly KnownBlock[]): readonly string[] {
  return blocks.flatMap((block): readonly string[] => {
    switch (block.type) {
      case 'header':
        return [block.text.text];
      case 'section':
        return (block.text?.text ?? '').split('\n');
      case 'context':
        return block.elements.flatMap((one) => ('text' in one ? withAddresses(one.text).split('\n') : []));
      case 'actions':
        return [block.elements.flatMap((one) => (one.type === 'button' ? `[${one.text.text}]` : [])).join(' ')];
      default:
        return [];
    }
  });
}

function withAddresses(text: string): string {
  return text.replaceAll(/<([^|>]+)\|([^>]+)>/g, '$2 $1');
}
