import { createHash } from 'node:crypto';
import type { Command } from '@proviso/domain';
import type { Receipt } from '@proviso/journal';
import type { Caller } from '../caller.ts';
import { refusedWords } from '../decide-told.ts';
import { capital, nameOf } from '../decision-words.ts';
import type { Parts } from '../parts.ts';
import { problemOf } from '../problem.ts';

/** What somebody asks for by Slack. */
export interface SlackOrder {
  /** What was done there, so that the same sent again is one change. */
  readonly deed: readonly string[];
  readonly command: Command;
  readonly reason?: string;
}

/** The parts that a change takes. */
export type SubmitParts = Pick<Parts, 'journal' | 'refusals' | 'metrics' | 'config'>;

/** Asks the journal with the person's own rights, by the same function as every other door. */
export async function submitBySlack(parts: SubmitParts, caller: Caller, order: SlackOrder): Promise<Receipt> {
  const { workspace, person, door } = caller;
  const { deed, command, reason } = order;
  return await parts.refusals.during(
    person.id,
    () =>
      parts.journal.submit({
        ...{ workspace, actor: person.id, command, door, authn: 'identity/slack' },
        idempotencyKey: `slack/${person.id}/${seedOf(deed)}`,
        ...(reason === undefined ? {} : { reason }),
      }),
    ({ kind }) => kind === 'refused',
  );
}

/** What was done, as one short word that is the same whenever it is sent. */
export function seedOf(deed: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(deed)).digest('base64url');
}

/** What came of it, for the one who asked. Never throws: what broke is told as well. */
export async function toldBySlack(
  parts: SubmitParts,
  work: () => Promise<Receipt>,
  about: { readonly page: string; readonly newest: () => Promise<string | null> },
): Promise<string> {
  try {
    const receipt = await work();
    if (receipt.kind === 'refused') return await refusedText(parts, receipt.refusal, about);
    const isPassed = receipt.answer.kind === 'decided' && receipt.answer.passed;
    return isPassed ? 'Recorded: the gate has passed.' : 'Recorded.';
  } catch (error) {
    const { code, message } = problemOf(error);
    parts.metrics.refused(code);
    if (code === 'outcome_unknown') return 'Whether this was recorded is not known: press again, it counts once.';
    return code === 'too_many_refusals' ? `Too many tries: ${message}.` : 'Nothing was recorded: press again.';
  }
}

async function refusedText(
  parts: SubmitParts,
  { code, message, whoCan = [] }: Extract<Receipt, { kind: 'refused' }>['refusal'],
  { page, newest }: { readonly page: string; readonly newest: () => Promise<string | null> },
): Promise<string> {
  parts.metrics.refused(code);
  const by = code === 'superseded' ? await newest() : null;
  const words = [
    refusedWords[code] ?? 'Nothing was recorded.',
    `${capital(message)}.`,
    ...(by === null ? [] : [`The newest version is ${by}.`]),
    ...(whoCan.length === 0 ? [] : [`Who can: ${whoCan.map(nameOf).join(', ')}.`]),
    ...(code === 'step_up_required' || code === 'channel_not_allowed' ? [`Decide here: ${page}`] : []),
  ];
  return `${words.join(' ')} (${code})`;
}
