import type { HeadlineFacts } from './headline.ts';
import { momentWords } from './headline-words.ts';
import type { PromotionState } from './promotion.ts';
import { type WatchSeen, breachesOf, takenBackBy } from './watch.ts';

/** What the watch says about a release that serves: what it found, and what that means for new versions. */
export function watchWords(state: PromotionState, facts: HeadlineFacts): string {
  const breaches = breachesOf(state);
  const [first] = breaches;
  if (state.outcome !== 'live' || first === undefined) return '';
  const more = breaches.length === 1 ? '' : ` (and ${breaches.length - 1} more)`;
  const held = facts.hold?.reason === 'watch' ? ' Nothing new goes live until an operator has resumed its lane.' : '';
  return `Since ${momentWords(first.breachedSince ?? first.at, facts)} the watch finds: ${reasonOf(first)}${more}.${held}`;
}

/** Why the watch took it from its users, for a sentence that says when; null when it was somebody else. */
export function takenBackWords(state: PromotionState): string | null {
  const seen = takenBackBy(state);
  return seen === undefined ? null : `: ${reasonOf(seen)}.`;
}

function reasonOf({ check, reasons }: WatchSeen): string {
  return reasons[0]?.message ?? `the ${check} is breached`;
}
