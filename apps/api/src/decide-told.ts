import { artifactOf, gateIn } from '@proviso/domain';
import type { PromotionView } from '@proviso/journal';
import { capital, nameOf } from './decision-words.ts';
import { type Html, html } from './html.ts';
import type { Problem } from './problem.ts';

/** What a person had before their eyes when they decided. */
export interface Seen {
  readonly attempt: number;
  readonly artifactDigest: string;
  readonly evidenceDigest: string;
}

/** What came of a decision that was not taken, as a sentence on the gate's own page. */
export function toldOf(
  { code, message, more }: Problem,
  seen: Seen | null,
  { view, name }: { readonly view: PromotionView; readonly name: 'approval' },
): Html {
  const isStale = seen !== null && (code === 'stale_evidence' || code === 'stale_attempt');
  const changes = isStale ? changesSince(seen, view, name) : [];
  const who = more.whoCan ?? [];
  return html`<div class="told no" role="alert" data-code="${code}"><p><strong>${refusedWords[code] ?? 'Your decision was not recorded.'}</strong> ${capital(message)}.</p>
${changes.length === 0 ? null : html`<p>What has changed since:</p><ul>${changes.map((change) => html`<li>${change}</li>`)}</ul><p>Below is what is current. Look again, and decide on that.</p>`}
${who.length === 0 ? null : html`<p>Who can: ${who.map(nameOf).join(', ')}.</p>`}</div>`;
}

/** What a no means for whoever decided, by its code; every surface begins with it. */
export const refusedWords: Readonly<Record<string, string>> = {
  own_work: 'This is your own work, so your decision was not recorded.',
  already_decided: 'You have decided already; that stands.',
  step_up_required: 'Sign in again first: nothing was recorded.',
  reason_required: 'Say why: nothing was recorded.',
  stale_evidence: 'This is not what you were shown any more: nothing was recorded.',
  stale_attempt: 'This gate was opened anew: nothing was recorded.',
  expired: 'Too late: nobody answered in time, so it is not approved.',
  superseded: 'A newer version has taken its place: nothing was recorded.',
  promotion_ended: 'This promotion has ended: nothing was recorded.',
  gate_closed: 'This gate is closed: nothing was recorded.',
  until_invalid: 'That is too far ahead: nothing was recorded.',
  review_due: 'The last broken glass has not been reviewed: nothing was recorded.',
  too_many: 'There are too many of these already: nothing was recorded.',
  exists: 'That has been asked for already.',
  not_permitted: 'You may not do this: nothing was recorded.',
  channel_not_allowed: 'This gate is not decided here: nothing was recorded.',
};

function changesSince(seen: Seen, { state }: PromotionView, name: 'approval'): readonly string[] {
  const gate = gateIn(state, name);
  const checked = state.gates.filter((one) => one.name !== name && one.status === 'passed' && one.attempt > 1);
  return [
    ...(artifactOf(state) === seen.artifactDigest ? [] : ['the files that would go live are others']),
    ...(gate.evidenceDigest === seen.evidenceDigest
      ? []
      : [
          `the evidence is another${checked.length === 0 ? '' : `: ${checked.map((one) => one.name).join(', ')} ran again`}`,
        ]),
    ...(gate.attempt === seen.attempt
      ? []
      : [`this is attempt ${gate.attempt}, you were shown attempt ${seen.attempt}`]),
  ];
}
