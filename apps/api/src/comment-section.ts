import type { PromotionState } from '@proviso/domain';
import type { Reads } from '@proviso/journal';
import { formPart, mayTry } from './decide-form.ts';
import type { DecisionShown } from './decision-shown.ts';
import { timeOf } from './decision-words.ts';
import { entryView, peopleOfEntries } from './history-view.ts';
import { type Html, html } from './html.ts';

/** As many as a page has room for; older ones are in the history. */
const shownMax = 20;

/** Comments as a page tells them, newest first, and how many older ones there are. */
export interface CommentsShown {
  readonly newest: readonly CommentShown[];
  readonly older: number;
}

/** One of them. Who was erased has no name here and no words. */
interface CommentShown {
  readonly at: string;
  readonly said: { readonly by: string; readonly text: string } | null;
}

/** What people and agents have said about a promotion, with their names of today. */
export async function newestComments(reads: Reads, { id, comments = 0 }: PromotionState): Promise<CommentsShown> {
  if (comments === 0) return { newest: [], older: 0 };
  const found = await reads.comments(id, shownMax);
  const names = await reads.names(peopleOfEntries(found.map(({ entry }) => entry)));
  const newest = found.map(({ entry, text }): CommentShown => {
    const { at, by, actsFor } = entryView(entry, { names, reason: text });
    const stead = actsFor === null ? '' : ` for ${actsFor.name ?? 'somebody'}`;
    return { at, said: text === null ? null : { by: `${by?.name ?? 'Somebody'}${stead}`, text } };
  });
  return { newest, older: Math.max(0, comments - newest.length) };
}

/** Below the decision and in nobody's way to it: a comment is no vote. */
export function commentSection(shown: DecisionShown): Html | null {
  const { newest, older } = shown.comments;
  const form = mayTry(shown, 'comment') ? writePart(shown) : null;
  if (newest.length === 0 && form === null) return null;
  return html`<section><h2>Comments</h2>
${newest.map(commentPart)}${older > 0 && html`<p class="soft">${older} older in the history.</p>`}
${form}</section>`;
}

function commentPart({ at, said }: CommentShown): Html {
  if (said === null) return html`<p class="soft">${timeOf(at)}: erased, with whoever wrote it.</p>`;
  return html`<p><strong>${said.by}</strong> <span class="soft">on ${timeOf(at)}</span></p><blockquote>${said.text}</blockquote>`;
}

function writePart(shown: DecisionShown): Html {
  return html`<details><summary>Write a comment</summary>
<p>It is no vote, and everybody who reads this promotion reads it.</p>
${formPart(
  shown,
  'comments',
  html`<label for="comment">What you want to say</label><textarea id="comment" name="reason" rows="3" maxlength="2000" required></textarea>
  <div class="buttons"><button>Comment</button></div>`,
)}</details>`;
}
