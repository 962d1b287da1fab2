import { type Interaction, inert, lineOf } from '@proviso/channels';
import { mayRead } from '@proviso/authority';
import { noRole } from '../typed-order.ts';
import type { SlackAsker } from './slack-caller.ts';
import type { SlackParts } from './slack-desk.ts';
import { openFor } from './slack-inbox.ts';
import { orderOf, ordered, started } from './slack-order.ts';
import { linkAccount, unlinkAccount } from './slack-link.ts';
import { linkPageOf, unlinkedText } from './slack-words.ts';

type Typed = Extract<Interaction, { kind: 'command' }>;

/** Lines of one answer; a message has room for some more, and nobody reads them. */
const linesMax = 20;

/** Words are shown as they are, without mentions or links in them. */
interface Told {
  readonly text: string;
  readonly mrkdwn: false;
  readonly parse: 'none';
}

/** Answers `/proviso …`. */
export async function slackCommand(parts: SlackParts, asker: SlackAsker, typed: Typed): Promise<Told> {
  return { text: await wordsFor(parts, asker, typed), mrkdwn: false, parse: 'none' };
}

async function wordsFor(parts: SlackParts, asker: SlackAsker, { member, words, commandId }: Typed): Promise<string> {
  const [typed = 'help', ...rest] = words;
  const word = typed.toLowerCase();
  const kind = orderOf(word);
  if (kind !== null || word === 'start') {
    if (asker.kind !== 'known') return asker.kind === 'unlinked' ? unlinkedText(parts) : asker.why;
    const order = { words: rest, commandId };
    return await (kind === null
      ? started(parts, asker.caller, order)
      : ordered(parts, asker.caller, { ...order, kind }));
  }
  switch (word) {
    case 'status':
      return await status(parts, asker, rest.join(' '));
    case 'link': {
      const [code] = rest;
      if (code === undefined) return `Open ${linkPageOf(parts)} and type here what it shows.`;
      return await linkAccount(parts, member, code);
    }
    case 'unlink':
      return await unlinkAccount(parts, asker, { member, id: commandId });
    default:
      return help;
  }
}

const help = [
  '/proviso status – what is under way, or of one prototype: /proviso status my-app',
  '/proviso start my-app [VERSION] [with POLICY] – promotes its newest version, or the one that you name',
  '/proviso comment my-app WORDS – says them where everybody reads who looks at it',
  '/proviso rerun my-app [WHY] – runs the gate that blocks it again',
  '/proviso pause my-app WHY – keeps its canary at its share',
  '/proviso advance my-app WHY – spares its canary the rest of its time at this share',
  '/proviso rollback my-app WHY – takes users off it at once',
  '/proviso link – makes your presses here count as yours',
  '/proviso unlink – takes that back',
].join('\n');

async function status(parts: SlackParts, asker: SlackAsker, wanted: string): Promise<string> {
  if (asker.kind !== 'known') return asker.kind === 'unlinked' ? unlinkedText(parts) : asker.why;
  const open = await openFor(parts, asker.caller);
  if (open.length === 0 && !mayRead(asker.caller.person)) return noRole;
  const found = wanted === '' ? open : open.filter(({ item }) => item.prototype.toLowerCase() === wanted.toLowerCase());
  if (found.length === 0)
    return wanted === '' ? 'Nothing is under way.' : `Nothing of “${inert(wanted, 80)}” is under way.`;
  const lines = found.slice(0, linesMax).map(({ item }) => `${lineOf(item)} ${item.page}`);
  return [...lines, ...(found.length > linesMax ? [`and ${found.length - linesMax} more`] : [])].join('\n');
}
