import type { DecisionShown } from './decision-shown.ts';
import { type Html, html } from './html.ts';
import { formField } from './page.ts';

/** A form of a gate's page for whoever has just signed in; for others the way to do so. */
export function formPart({ gate, reader, key, freshUntil }: DecisionShown, path: string, fields: Html): Html {
  if (freshUntil === null)
    return html`<div class="buttons"><a class="button" href="/login?fresh=true&amp;to=${encodeURIComponent(`/decide/${gate.id}`)}">Sign in again for this</a></div>`;
  return html`<form method="post" action="/decide/${gate.id}/${path}">
  ${formField(reader)}<input type="hidden" name="key" value="${key}">
  ${fields}
</form>`;
}

/** Whether this reader gets a form for something: they may, or may once they have signed in anew. */
export function mayTry({ promotion }: DecisionShown, rel: string): boolean {
  const action = promotion.actions.find((one) => one.rel === rel);
  return action !== undefined && (action.allowed || action.code === 'step_up_required');
}
