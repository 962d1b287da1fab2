import { formPart } from './decide-form.ts';
import type { DecisionShown } from './decision-shown.ts';
import { nameOf, timeOf } from './decision-words.ts';
import { type Html, html } from './html.ts';

/** Emergencies, at the end of the page: only where the policy has a glass to break, and folded until one was asked for. */
export function glassSection(shown: DecisionShown): Html | null {
  const { promotion, glassFrom } = shown;
  const { breakGlass: glass, endedAt } = promotion;
  if (glassFrom === null) return null;
  if (glass?.reviewDue === true) return reviewPart(shown, glass);
  if (endedAt !== null) return null;
  const isOpen = glass !== null && glass.endedAt === null && glass.usedAt === null;
  if (!isOpen) return askPart(shown, glassFrom);
  return glass.brokenAt === null ? agreePart(shown, glass) : html`<section>${toldPart(glass)}</section>`;
}

type Glass = NonNullable<DecisionShown['promotion']['breakGlass']>;

function toldPart({ askedBy, approvedBy, brokenAt, until }: Glass): Html {
  const agreed = approvedBy.length === 0 ? 'Nobody has agreed yet' : `Agreed: ${approvedBy.map(nameFor).join(', ')}`;
  const state = brokenAt === null ? 'was asked to be broken' : `was broken on ${timeOf(brokenAt)}`;
  return html`<div class="told warn" role="status"><p><strong>The glass ${state}</strong> by ${nameFor(askedBy)}. ${agreed}. Good until ${timeOf(until)}, for these files and one use.</p></div>`;
}

function askPart(shown: DecisionShown, from: string): Html {
  return html`<section><details><summary>In an emergency</summary>
<p>The glass lets these files pass people and freezes, and nothing else. Two others of ${nameOf(from)} must agree, everybody is told, and somebody has to review it.</p>
${formPart(
  shown,
  'break-glass',
  html`<label for="minutes">For how many minutes</label><input id="minutes" name="minutes" type="number" min="1" max="60" value="60">
  <label for="glass-reason">What is the emergency?</label><textarea id="glass-reason" name="reason" rows="2" maxlength="2000" required></textarea>
  <div class="buttons"><button class="stop">Ask for the glass to be broken</button></div>`,
)}</details></section>`;
}

function agreePart(shown: DecisionShown, glass: Glass): Html {
  return html`<section><h2>An emergency</h2>${toldPart(glass)}
${formPart(
  shown,
  'break-glass/approve',
  html`<input type="hidden" name="artifactDigest" value="${glass.artifactDigest}">
  <label for="glass-reason">Why <span class="soft">(if you want to say)</span></label><textarea id="glass-reason" name="reason" rows="2" maxlength="2000"></textarea>
  <div class="buttons"><button class="stop">Agree to break the glass</button></div>`,
)}</section>`;
}

function reviewPart(shown: DecisionShown, glass: Glass): Html {
  return html`<section><h2>To be reviewed</h2>${toldPart(glass)}
<p>Until somebody who had no part in it has looked at what was done, no other glass of this prototype can be broken.</p>
${formPart(
  shown,
  'break-glass/review',
  html`<label for="glass-reason">What did you find?</label><textarea id="glass-reason" name="reason" rows="3" maxlength="2000" required></textarea>
  <div class="buttons"><button>Record the review</button></div>`,
)}</section>`;
}

function nameFor({ name }: Glass['askedBy']): string {
  return name ?? 'somebody';
}
