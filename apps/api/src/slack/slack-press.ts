import {
  type Interaction,
  type Pressed,
  formView,
  isToken,
  pressedIn,
  slackForms,
  toldView,
  verdictOf,
} from '@proviso/channels';
import { type Command, type DecisionVerdict, type Prompt, idFrom } from '@proviso/domain';
import type { Caller } from '../caller.ts';
import { type ChannelOrder, pageOf, seedOf, toldByChannel } from '../channel-submission.ts';
import { bodies } from '../forms.ts';
import { uuidOfSeed } from '../submission.ts';
import { type SlackAsker, slackIdentity } from './slack-caller.ts';
import type { SlackParts } from './slack-desk.ts';
import { unlinkedText, wordsOf } from './slack-words.ts';

type Press = Extract<Interaction, { kind: 'press' }>;
type Submit = Extract<Interaction, { kind: 'submit' }>;

const dayMs = 86_400_000;
const unknownCopy = 'This message is none of ours any more: nothing was recorded.';

/** What whoever pressed is told, in a message to them alone; null: a form was opened, which is the answer. */
export async function pressed(parts: SlackParts, asker: SlackAsker, press: Press): Promise<string | null> {
  if (asker.kind !== 'known') return asker.kind === 'unlinked' ? unlinkedText(parts) : asker.why;
  const copy = await copyOf(parts, press.value);
  if (copy === null) return unknownCopy;
  const { action, pressId, value, triggerId } = press;
  if (action === 'approve') {
    const shown = pressedIn(value);
    if (shown === null) return unknownCopy;
    return await vote(parts, asker.caller, { copy, shown, verdict: 'approve', deed: [copy.token, action, pressId] });
  }
  const form = slackForms.find((one) => one === action);
  if (form === undefined) return unknownCopy;
  return await parts.calls.openForm(triggerId, formView(form, value)).then(
    () => null,
    () => `Slack did not open the form: press again, or go to ${pageOf(parts, copy.promotion)}`,
  );
}

/** What a form is answered with: what came of it, in its own place, or what is missing, beside the field. */
export async function submitted(parts: SlackParts, asker: SlackAsker, submit: Submit): Promise<object> {
  if (asker.kind !== 'known') return told(asker.kind === 'unlinked' ? unlinkedText(parts) : asker.why);
  const copy = await copyOf(parts, submit.about);
  if (copy === null) return told(unknownCopy);
  const { form, viewId, fields, about } = submit;
  const deed = [viewId, form, JSON.stringify(fields)];
  if (form === 'delegate') return await delegate(parts, asker.caller, { copy, deed, submit });
  const reason = bodies.reason.safeParse({ reason: fields['reason'] ?? '' });
  if (!reason.success) return wrong('reason', 'Say why, in up to 2,000 letters.');
  const given = reason.data.reason;
  const verdict = verdictOf(form);
  if (verdict !== null) {
    const shown = pressedIn(about);
    if (shown === null) return told(unknownCopy);
    return told(await vote(parts, asker.caller, { copy, shown, verdict, deed, reason: given }));
  }
  if (form !== 'roll_back') return told(unknownCopy);
  const command = { kind: 'Rollback', promotion: copy.promotion } as const;
  return told(await toldOf(parts, asker.caller, { copy, order: { deed, command, reason: given } }));
}

interface Vote {
  readonly copy: Prompt;
  readonly shown: Pressed;
  readonly verdict: DecisionVerdict;
  readonly deed: readonly string[];
  readonly reason?: string;
}

/** A vote on exactly what stood on the copy that was pressed. */
async function vote(parts: SlackParts, caller: Caller, { copy, shown, verdict, deed, reason }: Vote): Promise<string> {
  const { promotion } = copy;
  const { attempt, artifact, evidenceDigest } = shown;
  const decision = idFrom('dec', uuidOfSeed(`slack ${caller.person.id} ${seedOf(deed)}`));
  const command: Command = {
    ...{ kind: 'Decide', promotion, gate: 'approval', attempt, decision, verdict, artifact, evidenceDigest },
  };
  return await toldOf(parts, caller, { copy, order: { deed, command, ...(reason === undefined ? {} : { reason }) } });
}

interface Delegating {
  readonly copy: Prompt;
  readonly deed: readonly string[];
  readonly submit: Submit;
}

/** Gives one's right on, for this prototype and so many days. */
async function delegate(parts: SlackParts, caller: Caller, { copy, deed, submit }: Delegating): Promise<object> {
  const { slack, journal, config, now } = parts;
  const { member, fields } = submit;
  const days = Number(fields['days']);
  if (!Number.isInteger(days) || days < 1) return wrong('days', 'Choose for how long.');
  const identity = slackIdentity(slack, { team: member.team, user: fields['user'] ?? '' }, config);
  const other = await journal.principalOfIdentity(identity);
  if (other === null || other.workspace !== caller.workspace)
    return wrong('user', 'This Slack account is not linked to a person here.');
  const view = await caller.reads.promotion(copy.promotion);
  if (view === null) return told(unknownCopy);
  const until = now() + days * dayMs;
  const command = { kind: 'Delegate', person: other.person, until, prototype: view.state.prototype } as const;
  return told(await toldOf(parts, caller, { copy, order: { deed, command } }));
}

async function toldOf(
  parts: SlackParts,
  caller: Caller,
  { copy, order }: { readonly copy: Prompt; readonly order: ChannelOrder },
): Promise<string> {
  return wordsOf(await toldByChannel(parts, caller, { promotion: copy.promotion, order, again: 'press again' }));
}

/** The registered copy that was pressed, by the token in what it carried. */
async function copyOf({ register }: SlackParts, value: string): Promise<Prompt | null> {
  const [token = ''] = value.split(' ');
  return isToken(token) ? await register.byToken(token) : null;
}

function told(text: string): object {
  return { response_action: 'update', view: toldView(text) };
}

function wrong(field: string, why: string): object {
  return { response_action: 'errors', errors: { [field]: why } };
}
