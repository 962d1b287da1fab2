import type { ChangeSinceLive, FileChanges } from './change-since-live.ts';
import { commentSection } from './comment-section.ts';
import type { DecisionShown } from './decision-shown.ts';
import { capital, measureWords, nameOf, timeOf } from './decision-words.ts';
import { type Html, html } from './html.ts';
import { type Page, formField } from './page.ts';
import { deferSection, waiverSection } from './exception-section.ts';
import { glassSection } from './glass-section.ts';
import type { GateResource, PromotionResource } from './resources.ts';

/** The page of one gate: in the order in which somebody decides, so that a minute is enough. */
export function decisionPage(shown: DecisionShown): Page {
  const { promotion, gate, prototype, reader } = shown;
  const { candidate } = promotion;
  const title = `Promote ${prototype} ${candidate.version} to production?`;
  const content = html`<h1>${title}</h1>
<p class="lead">${promotion.headline}</p>
<p class="soft">Asked by ${promotion.requester.name ?? promotion.requester.id} on ${dayOf(promotion.openedAt)}.${isOpen(gate) && gate.expiresAt !== null && html` Open until ${timeOf(gate.expiresAt)}.`}</p>
${shown.told}
${changeSection(shown.change, candidate.version)}
${checksSection(promotion)}
${votesSection(gate)}
${isOpen(gate) && decideSection(shown)}
${deferSection(shown)}
${waiverSection(shown)}
${glassSection(shown)}
${commentSection(shown)}
<section><details><summary>What exactly a decision is bound to</summary>
<table>
<tr><th scope="row">Files</th><td><code>${gate.artifactDigest}</code></td></tr>
<tr><th scope="row">Evidence</th><td><code>${gate.evidenceDigest ?? 'none yet'}</code></td></tr>
<tr><th scope="row">Policy</th><td>${promotion.policy.name}, version ${promotion.policy.version}<br><code>${promotion.policy.digest}</code></td></tr>
<tr><th scope="row">Attempt</th><td>${gate.attempt}</td></tr>
<tr><th scope="row">Promotion</th><td><code>${promotion.id}</code></td></tr>
</table></details></section>`;
  return { title, content, reader };
}

function isOpen({ status, evidenceDigest }: GateResource): boolean {
  return status === 'waiting' && evidenceDigest !== null;
}

function changeSection(change: ChangeSinceLive | null, version: string): Html {
  if (change === null)
    return html`<section><h2>What changes for users</h2><p>Nobody is served yet: ${version} would be the first version.</p></section>`;
  const types = change.types.length === 0 ? null : html`<p>Other than live: ${change.types.join(', ')}.</p>`;
  return html`<section><h2>What changes for users</h2>
<p>They are on <strong>${change.liveVersion}</strong>.</p>${types}
${change.files === null ? html`<p class="soft">The files of one of the two are not kept any more, so they cannot be compared.</p>` : filesPart(change.files)}</section>`;
}

function filesPart({ added, changed, removed, named }: FileChanges): Html {
  const count = added + changed + removed;
  if (count === 0) return html`<p>Not a single file differs.</p>`;
  const rest = count - named.length;
  return html`<p>${filesWords(changed)} changed, ${added} new, ${removed} removed.</p>
<details${count <= 6 ? html` open` : null}><summary>Which files</summary><ul>${named.map(
    ({ word, path }) => html`<li>${word}: <code>${path}</code></li>`,
  )}${rest > 0 ? html`<li>and ${rest} more</li>` : null}</ul></details>`;
}

function filesWords(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}

function checksSection({ gates }: PromotionResource): Html {
  const done = gates.filter(({ status, name }) => status !== 'pending' && name !== 'approval');
  if (done.length === 0) return html`<section><h2>What was checked</h2><p>No machine gate has run.</p></section>`;
  return html`<section><h2>What was checked</h2><table>${done.map(
    (gate) =>
      html`<tr><th scope="row">${capital(gate.name)}</th><td>${resultOf(gate)}${gate.evidence.map(
        ({ kind, digest }) =>
          html` · <a href="/v1/evidence/${digest}" download="${kind}-${digest.slice(7, 19)}">${kind.replaceAll('_', ' ')}</a>`,
      )}</td></tr>`,
  )}</table></section>`;
}

/** A gate's result in a line: the measured value when there is one. */
function resultOf({ status, measure, reasons }: GateResource): string {
  const word = capital(status.replaceAll('_', ' '));
  if (measure !== null) return `${word}: ${measureWords(measure)}`;
  const [first] = reasons;
  return first === undefined ? word : `${word}: ${first.message}`;
}

function votesSection({ requirements, decisions }: GateResource): Html {
  const needs = requirements.map(({ from, count, have }) => html`<li>${nameOf(from)}: ${have} of ${count}</li>`);
  const said = decisions.map(
    ({ person, verdict, at, voided }) =>
      html`<li>${person.name ?? 'Somebody'} ${verdictWords[verdict] ?? verdict} on ${timeOf(at)}${voided === null ? null : html` <span class="soft">(does not count any more: ${voided.replaceAll('_', ' ')})</span>`}</li>`,
  );
  return html`<section><h2>Who decides</h2><ul>${needs}</ul>${said.length === 0 ? html`<p class="soft">Nobody has said anything yet.</p>` : html`<ul>${said}</ul>`}</section>`;
}

function decideSection(shown: DecisionShown): Html {
  const { promotion, gate, reader, freshUntil } = shown;
  const mine = gate.decisions.find(({ person, voided }) => person.id === reader.id && voided === null);
  if (mine !== undefined)
    return html`<div class="told yes" role="status"><p>You ${(verdictWords[mine.verdict] ?? mine.verdict).replace('has ', 'have ')} on ${timeOf(mine.at)}. That is recorded.</p></div>`;
  const approve = promotion.actions.find(({ rel }) => rel === 'approve');
  if (approve?.allowed === false && approve.code !== 'step_up_required') return barredPart(approve);
  if (freshUntil === null)
    return html`<section><h2>Your decision</h2><p>A decision wants somebody who has just signed in: a browser that was left open decides nothing.</p>
<div class="buttons"><a class="button go" href="/login?fresh=true&amp;to=${encodeURIComponent(`/decide/${gate.id}`)}">Sign in again to decide</a></div></section>`;
  return html`<section><h2>Your decision</h2>
<form method="post" action="/decide/${gate.id}">
  ${formField(reader)}<input type="hidden" name="key" value="${shown.key}"><input type="hidden" name="attempt" value="${gate.attempt}">
  <input type="hidden" name="artifactDigest" value="${gate.artifactDigest}"><input type="hidden" name="evidenceDigest" value="${gate.evidenceDigest}">
  <label for="reason">Why <span class="soft">(wanted unless you approve; shown to everybody here)</span></label>
  <textarea id="reason" name="reason" rows="3" maxlength="2000"></textarea>
  <div class="buttons"><button class="go" name="verdict" value="approve">Approve</button>
  <button name="verdict" value="request_changes">Ask for changes</button>
  <button class="stop" name="verdict" value="reject">Reject</button></div>
  <p class="soft">You are freshly signed in until ${timeOf(freshUntil)}.</p>
</form></section>`;
}

function barredPart({ reason, whoCan }: PromotionResource['actions'][number]): Html {
  return html`<div class="told warn" role="status"><p><strong>You cannot decide this.</strong> ${capital(reason ?? 'You lack the right')}.</p>${whoCan.length === 0 ? null : html`<p>Who can: ${whoCan.map(nameOf).join(', ')}.</p>`}</div>`;
}

const verdictWords: Readonly<Record<string, string>> = {
  approve: 'has approved',
  reject: 'has rejected it',
  request_changes: 'has asked for changes',
};

function dayOf(at: string): string {
  return at.slice(0, 10);
}
