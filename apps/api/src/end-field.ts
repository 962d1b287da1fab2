import { timeOf } from './decision-words.ts';
import { type Html, html } from './html.ts';

const dayMs = 86_400_000;

/** Ends that people choose from, as moments: the same choice is the same one however often the form is sent. */
export function endField(
  id: string,
  label: string,
  within: { readonly now: number; readonly maxMs: number },
): Html | null {
  const ends = [1, 2, 3, 7, 14, 30, 60, 90].filter((days) => days * dayMs <= within.maxMs);
  if (ends.length === 0) return null;
  const options = ends.map((days) => {
    const at = new Date(within.now + days * dayMs).toISOString();
    return html`<option value="${at}">${days === 1 ? 'one day' : `${days} days`}, until ${timeOf(at)}</option>`;
  });
  return html`<label for="${id}">${label}</label><select id="${id}" name="until">${options}</select>`;
}
