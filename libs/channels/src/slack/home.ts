import type { HomeView, KnownBlock } from '@slack/types';
import { inert, quoted } from '../inert.ts';
import { paragraph, plain } from './text.ts';

/** A promotion in somebody's inbox. */
export interface InboxItem {
  readonly prototype: string;
  readonly version: string;
  readonly headline: string;
  readonly page: string;
}

/** What somebody sees when they open the app; null: their account is not linked. */
export interface Inbox {
  readonly mine: readonly InboxItem[];
  readonly others: readonly InboxItem[];
}

/** More than anybody decides in a day; a view has at most a hundred blocks. */
const itemsMax = 30;

/** The app's home: what waits for its reader. */
export function homeView(inbox: Inbox | null, linkPage: string): HomeView {
  if (inbox === null) {
    const text =
      'Your Slack account is not linked to a person in Proviso. Open the page, then paste what it tells you.';
    return { type: 'home', blocks: [paragraph(text), opening('Link my account', linkPage)] };
  }
  const { mine, others } = inbox;
  const none = paragraph('Nothing waits for your decision.');
  const blocks: KnownBlock[] = [
    { type: 'header', text: plain('Waiting for you') },
    ...(mine.length === 0 ? [none] : mine.slice(0, itemsMax).map(item)),
    ...(others.length === 0 ? [] : [{ type: 'header' as const, text: plain('Waiting for somebody else') }]),
    ...others.slice(0, itemsMax).map(item),
  ];
  return { type: 'home', blocks };
}

/** A promotion in a line, for a list. */
export function lineOf({ prototype, version, headline }: Omit<InboxItem, 'page'>): string {
  return `${quoted(prototype)} ${inert(version, 64)}: ${inert(headline, 600)}`;
}

function item(one: InboxItem): KnownBlock {
  const button = { type: 'button' as const, action_id: 'open', text: plain('Look'), url: one.page };
  return { type: 'section', text: plain(lineOf(one)), accessory: button };
}

function opening(words: string, url: string): KnownBlock {
  return { type: 'actions', elements: [{ type: 'button', action_id: 'open', text: plain(words), url }] };
}
