import { isBlocked } from '@proviso/domain';
import { formPart, mayTry } from './decide-form.ts';
import type { DecisionShown } from './decision-shown.ts';
import { capital, timeOf } from './decision-words.ts';
import { endField } from './end-field.ts';
import { type Html, html } from './html.ts';
import type { GateResource } from './resources.ts';

const dayMs = 86_400_000;

/** "Not now", for whoever could vote; what somebody has put off already is told to everybody. */
export function deferSection(shown: DecisionShown): Html | null {
  const { gate, now } = shown;
  const put = gate.deferred;
  const told =
    put === null
      ? null
      : html`<p>${nameFor(put.by)} has put it off until ${timeOf(put.until)}; nobody is reminded before.</p>`;
  if (!mayTry(shown, 'defer') || gate.expiresAt === null)
    return told === null ? null : html`<section>${told}</section>`;
  const end = endField('defer-until', 'For how long', { now, maxMs: Date.parse(gate.expiresAt) - now });
  if (end === null) return told === null ? null : html`<section>${told}</section>`;
  return html`<section>${told}<details><summary>Not now</summary>
<p>That is no vote: the gate stays open and ends when it would. You and others are reminded later.</p>
${formPart(
  shown,
  'defer',
  html`<input type="hidden" name="attempt" value="${gate.attempt}">
  ${end}
  <label for="defer-reason">Why <span class="soft">(if you want to say)</span></label><textarea id="defer-reason" name="reason" rows="2" maxlength="2000"></textarea>
  <div class="buttons"><button>Put it off</button></div>`,
)}</details></section>`;
}

/** Risks that people let pass for a time: those that were asked for, and the way to ask where the policy lets anybody. */
export function waiverSection(shown: DecisionShown): Html | null {
  const { gates } = shown.promotion;
  const asked = gates.flatMap((gate) => gate.waivers.map((waiver) => waiverPart(shown, gate, waiver)));
  const blocked = gates.find(({ status }) => isBlocked(status));
  const asking = blocked !== undefined && mayTry(shown, 'ask_waiver') ? askPart(shown, blocked) : null;
  return asked.length === 0 && asking === null
    ? null
    : html`<section><h2>What is let pass for a time</h2>${asked}${asking}</section>`;
}

type Waiver = GateResource['waivers'][number];

function waiverPart(shown: DecisionShown, gate: GateResource, waiver: Waiver): Html {
  const { finding, owner, askedBy, approvedBy, until, endedAt, attempt } = waiver;
  const what = finding === null ? `all that ${gate.name} found` : `${placeOf(finding)} at ${gate.name}`;
  const waits = approvedBy === null && attempt === gate.attempt && isBlocked(gate.status);
  const state =
    endedAt !== null ? 'It is over' : approvedBy === null ? 'Nobody has agreed yet' : `Agreed: ${nameFor(approvedBy)}`;
  return html`<p><strong>${capital(what)}</strong>, until ${timeOf(until)}, asked by ${nameFor(askedBy)}. ${nameFor(owner)} owns the risk. ${state}.</p>
${waits && mayTry(shown, 'approve_waiver') ? agreePart(shown, waiver) : null}`;
}

function agreePart(shown: DecisionShown, { id }: Waiver): Html {
  return formPart(
    shown,
    'waivers/approve',
    html`<input type="hidden" name="waiver" value="${id}">
  <label for="reason-${id}">Why <span class="soft">(if you want to say)</span></label><textarea id="reason-${id}" name="reason" rows="2" maxlength="2000"></textarea>
  <div class="buttons"><button class="stop">Agree to let it pass</button></div>`,
  );
}

function askPart(shown: DecisionShown, gate: GateResource): Html | null {
  const { now, waiverDaysMax } = shown;
  const end = endField('waiver-until', 'For how long', { now, maxMs: (waiverDaysMax ?? 0) * dayMs });
  if (end === null) return null;
  const findings = gate.reasons.map(({ code, file, line }) => {
    const finding = { code, ...(file !== undefined && { file }), ...(line !== undefined && { line }) };
    return html`<option value="${JSON.stringify(finding)}">${placeOf(finding)}</option>`;
  });
  return html`<details><summary>Ask that it be let pass</summary>
<p>You own the risk while it stands, and somebody else has to agree. To name another owner use the command line.</p>
${formPart(
  shown,
  'waivers',
  html`<input type="hidden" name="gate" value="${gate.name}"><input type="hidden" name="attempt" value="${gate.attempt}">
  <label for="finding">What</label><select id="finding" name="finding"><option value="">all that ${gate.name} found</option>${findings}</select>
  ${end}
  <label for="waiver-reason">Why can it be let pass?</label><textarea id="waiver-reason" name="reason" rows="3" maxlength="2000" required></textarea>
  <div class="buttons"><button>Ask for it</button></div>`,
)}</details>`;
}

function placeOf({ code, file, line }: NonNullable<Waiver['finding']>): string {
  const place = file === undefined ? '' : ` in ${file}${line === undefined ? '' : `, line ${line}`}`;
  return `${code.replaceAll('_', ' ')}${place}`;
}

function nameFor({ name }: Waiver['owner']): string {
  return name ?? 'somebody';
}
