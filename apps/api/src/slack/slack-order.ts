import { inert, quoted } from '@proviso/channels';
import type { PrototypeState } from '@proviso/domain';
import type { Caller } from '../caller.ts';
import { type TypedOrder, promotionMeant, prototypeMeant, toldOfOrder } from '../typed-order.ts';
import { startTyped, startWords } from '../typed-start.ts';
import type { SlackParts } from './slack-desk.ts';
import { wordsOf } from './slack-words.ts';

/** What can be typed about a prototype's promotion, with what it does. */
const orders: Readonly<Record<string, TypedOrder>> = {
  comment: 'Comment',
  rerun: 'Rerun',
  pause: 'Pause',
  advance: 'Advance',
  rollback: 'Rollback',
};

/** The order behind a word; null: it is none. */
export function orderOf(word: string): TypedOrder | null {
  return Object.hasOwn(orders, word) ? (orders[word] ?? null) : null;
}

/** Words behind the first, and what makes them one change however often they are sent. */
interface TypedWords {
  readonly words: readonly string[];
  readonly commandId: string;
}

const again = 'type it again';

/** Does what was typed to the promotion that it means. */
export async function ordered(
  parts: SlackParts,
  caller: Caller,
  { kind, words: [name = '', ...reason], commandId }: TypedWords & { readonly kind: TypedOrder },
): Promise<string> {
  const meant = await prototypeMeant(caller, name);
  if (meant.kind === 'none') return meant.why;
  const { id: prototype, name: called } = meant.prototype.state;
  const view = await promotionMeant(parts, caller, { prototype, kind });
  if (view === null) return `Nothing of ${quoted(called)} was ever promoted: nothing was recorded.`;
  const order = { kind, view, reason: reason.join(' '), deed: [kind, commandId], again };
  const told = await toldOfOrder(parts, caller, order);
  return `${quoted(called)} ${inert(view.state.candidate.version, 64)}: ${wordsOf(told)}`;
}

/** Starts the newest version of a prototype, or the one that is named, by the policy that is named behind `with`. */
export async function started(parts: SlackParts, caller: Caller, { words, commandId }: TypedWords): Promise<string> {
  const { names, policy } = startWords(words);
  const [name = '', version] = names;
  const meant = await prototypeMeant(caller, name);
  if (meant.kind === 'none') return meant.why;
  const { state: prototype } = meant.prototype;
  const candidate = newest(prototype, version);
  if (candidate === undefined) {
    const which = version === undefined ? 'no version' : `no version ${inert(version, 64)}`;
    return `${quoted(prototype.name)} has ${which} that could be promoted: freeze it first.`;
  }
  return wordsOf(await startTyped(parts, caller, { prototype, candidate, policy, deed: ['start', commandId], again }));
}

function newest({ candidates }: PrototypeState, version: string | undefined) {
  return candidates.findLast((one) => one.removed !== true && (version === undefined || one.version === version));
}
