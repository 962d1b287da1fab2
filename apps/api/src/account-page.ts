import { type Html, html } from './html.ts';
import { timeOf } from './decision-words.ts';
import { endField } from './end-field.ts';
import { type Page, type Reader, formField } from './page.ts';

/** Everything the page of one's own account shows. */
export interface AccountShown {
  readonly reader: Reader;
  /** Until when the reader counts as freshly signed in; null when they do not. */
  readonly freshUntil: string | null;
  readonly now: number;
  /** Makes a form that is sent twice one change. */
  readonly key: string;
  /** What the reader was refused just now, if anything. */
  readonly told: Html | null;
  /** Accounts elsewhere by which they are known. */
  readonly accounts: readonly { readonly issuer: string; readonly subject: string }[];
  /** Whether there is a provider at which a second account could be. */
  readonly hasProvider: boolean;
  /** Whether gates are decided in Slack here, so that an account there is worth linking. */
  readonly hasSlack: boolean;
  /** What goes into the profile of the account at GitHub that is to be linked. */
  readonly mark: string;
  /** Those who vote in the reader's stead, and who could; null when the reader has no vote to give on. */
  readonly delegation: DelegationShown | null;
}

/** A vote in other hands. */
export interface DelegationShown {
  readonly daysMax: number;
  readonly given: readonly { readonly id: string; readonly name: string; readonly until: string }[];
  readonly others: readonly { readonly id: string; readonly name: string }[];
}

/** The page of one's own account: by what one is known, and who votes in one's stead. */
export function accountPage(shown: AccountShown): Page {
  const { reader, told, delegation } = shown;
  const content = html`<h1>${reader.name}</h1>
${told}
${accountsSection(shown)}
${delegation === null ? null : delegationSection(shown, delegation)}`;
  return { title: 'Your account', content, reader };
}

function accountsSection(shown: AccountShown): Html {
  const { accounts, mark, hasProvider, hasSlack } = shown;
  const list = accounts.map(
    ({ issuer, subject }) =>
      html`<li>${nameOfIssuer(issuer)} ${formPart(
        shown,
        'unlink',
        html`<input type="hidden" name="issuer" value="${issuer}"><input type="hidden" name="subject" value="${subject}">
  <button>Take it away</button>`,
      )}</li>`,
  );
  return html`<section><h2>Accounts by which you are known</h2>
${list.length === 0 ? html`<p class="soft">None yet.</p>` : html`<ul>${list}</ul><p class="soft">When you take one away you are signed out everywhere.</p>`}
<details><summary>Link your account at GitHub</summary>
<p>Commits of that account are yours then: you have no vote on them. Where gates are decided at GitHub, what you do there counts as yours. To show that it is yours, put this into the bio of its public profile for a minute: <code>${mark}</code></p>
${formPart(
  shown,
  'github',
  html`<label for="login">Its name at GitHub</label><input id="login" name="login" maxlength="39" required>
  <div class="buttons"><button class="go">It stands there: link it</button></div>`,
)}</details>${hasSlack ? html`<p><a href="/slack/link">Link your account in Slack</a></p>` : null}${hasProvider ? formPart(shown, 'provider', html`<div class="buttons"><button>Link another account of your provider</button></div>`) : null}</section>`;
}

/** As people say it; of a provider its address, since there may have been another one before. */
function nameOfIssuer(issuer: string): string {
  if (issuer === 'github') return 'GitHub';
  return issuer.startsWith('slack:') ? 'Slack' : issuer;
}

function delegationSection(shown: AccountShown, { daysMax, given, others }: DelegationShown): Html {
  const list = given.map(
    ({ id, name, until }) =>
      html`<li>${name}, until ${timeOf(until)} ${formPart(
        shown,
        'delegations/end',
        html`<input type="hidden" name="person" value="${id}"><button>Take it back</button>`,
      )}</li>`,
  );
  const options = others.map(({ id, name }) => html`<option value="${id}">${name}</option>`);
  const end = endField('delegate-until', 'For how long', { now: shown.now, maxMs: daysMax * 86_400_000 });
  return html`<section><h2>Who votes in your stead</h2>
${list.length === 0 ? html`<p class="soft">Nobody.</p>` : html`<ul>${list}</ul>`}
<details><summary>Give your right to vote to somebody for a time</summary>
<p>One right is one vote: yours or theirs. It counts as long as you have it, and never on their own work.</p>
${formPart(
  shown,
  'delegations',
  html`<label for="person">To whom</label><select id="person" name="person">${options}</select>
  ${end}
  <label for="delegate-reason">Why <span class="soft">(if you want to say)</span></label><textarea id="delegate-reason" name="reason" rows="2" maxlength="2000"></textarea>
  <div class="buttons"><button class="go">Give it</button></div>`,
)}</details></section>`;
}

/** A form for whoever has just signed in; for others the way to do so. */
function formPart({ reader, key, freshUntil }: AccountShown, path: string, fields: Html): Html {
  if (freshUntil === null)
    return html`<div class="buttons"><a class="button" href="/login?fresh=true&amp;to=%2Faccount">Sign in again for this</a></div>`;
  return html`<form method="post" action="/account/${path}">
  ${formField(reader)}<input type="hidden" name="key" value="${key}">
  ${fields}
</form>`;
}
