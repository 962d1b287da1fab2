import { createHash } from 'node:crypto';
import type { Command, PromotionId } from '@proviso/domain';
import { gateIdOf } from '@proviso/domain';
import type { Receipt } from '@proviso/journal';
import type { Caller } from './caller.ts';
import { refusedWords } from './decide-told.ts';
import { capital, nameOf } from './decision-words.ts';
import type { Parts } from './parts.ts';
import { accepted, httpStatusOf, problemOf } from './problem.ts';
import { type Intent, uuidOfSeed } from './submission.ts';

/** What somebody asks for by a channel. */
export interface ChannelOrder {
  /** What was done there, so that the same sent again is one change. */
  readonly deed: readonly string[];
  readonly command: Command;
  readonly reason?: string;
  /** What is said when it was done; that it was recorded, when absent. */
  readonly done?: Pick<Told, 'text' | 'page'>;
}

/** The parts that a change takes. */
export type SubmitParts = Pick<Parts, 'journal' | 'refusals' | 'metrics' | 'config'>;

/** Asks the journal with the person's own rights, by the same function as every other door. */
export async function submitByChannel(parts: SubmitParts, caller: Caller, order: ChannelOrder): Promise<Receipt> {
  const { workspace, person, door } = caller;
  const { deed, command, reason } = order;
  return await parts.refusals.during(
    person.id,
    () =>
      parts.journal.submit({
        ...{ workspace, actor: person.id, command, door, authn: `identity/${door.channel}` },
        idempotencyKey: keyOf(caller, deed),
        ...(reason === undefined ? {} : { reason }),
      }),
    ({ kind }) => kind === 'refused',
  );
}

function keyOf({ door, person }: Caller, deed: readonly string[]): string {
  return `${door.channel}/${person.id}/${seedOf(deed)}`;
}

/**
 * What was recorded of this deed before; null: nothing was. Whoever brings it again after its answer was lost is told the
 * same, also where what it would be about has changed since.
 */
export async function toldBefore(caller: Caller, deed: readonly string[]): Promise<Told | null> {
  const receipt = await caller.reads.receipt(keyOf(caller, deed));
  return receipt?.kind === 'accepted' ? recorded(receipt) : null;
}

function recorded({ answer }: Extract<Receipt, { kind: 'accepted' }>): Told {
  const isPassed = answer.kind === 'decided' && answer.passed;
  return { text: isPassed ? 'Recorded: the gate has passed.' : 'Recorded.', code: null, page: null, isSure: true };
}

/** The way for several changes that follow from one deed, as requests of the API have it: a no is thrown as a problem. */
export function intentByChannel(parts: SubmitParts, caller: Caller, deed: readonly string[]): Intent {
  parts.refusals.admit(caller.person.id);
  const key = seedOf(deed);
  return {
    ...{ caller, key, draw: (what) => uuidOfSeed(`${caller.door.channel} ${caller.person.id} ${key} ${what}`) },
    submit: async (command, { reason } = {}) =>
      accepted(await submitByChannel(parts, caller, { deed, command, ...(reason === undefined ? {} : { reason }) })),
  };
}

/** What was done, as one short word that is the same whenever it is sent. */
export function seedOf(deed: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(deed)).digest('base64url');
}

/** What came of it, for the one who asked. */
export interface Told {
  readonly text: string;
  /** The code of a no. */
  readonly code: string | null;
  /** Where it is to be seen; with the code of a no, where it can be decided. */
  readonly page: string | null;
  /** False when the same may be sent again to find out. */
  readonly isSure: boolean;
}

/** Asks for something about a promotion and says what came of it. Never throws: what broke is told as well. */
export async function toldByChannel(
  parts: SubmitParts,
  caller: Caller,
  {
    promotion,
    order,
    again,
  }: { readonly promotion: PromotionId; readonly order: ChannelOrder; readonly again: string },
): Promise<Told> {
  try {
    const receipt = await submitByChannel(parts, caller, order);
    if (receipt.kind === 'refused') return await refusedText(parts, caller, { refusal: receipt.refusal, promotion });
    return { ...recorded(receipt), ...order.done };
  } catch (error) {
    return toldOfProblem(parts, error, again);
  }
}

/** What is said of something that broke, or that was refused before there was a command. */
export function toldOfProblem({ metrics }: Pick<Parts, 'metrics'>, error: unknown, again: string): Told {
  const { code, message } = problemOf(error);
  metrics.refused(code);
  const said = (text: string, isSure: boolean): Told => ({ text, code: null, page: null, isSure });
  if (code === 'outcome_unknown')
    return said(`Whether this was recorded is not known: ${again}, it counts once.`, false);
  if (code === 'too_many_refusals') return said(`Too many tries: ${message}.`, true);
  if (httpStatusOf(code) >= 500) return said(`Nothing was recorded: ${again}.`, false);
  const words = refusedWords[code] ?? 'Nothing was recorded.';
  return { ...said(`${words} ${capital(message)}.`, true), code };
}

async function refusedText(
  parts: SubmitParts,
  caller: Caller,
  {
    refusal: { code, message, whoCan = [] },
    promotion,
  }: { readonly refusal: Extract<Receipt, { kind: 'refused' }>['refusal']; readonly promotion: PromotionId },
): Promise<Told> {
  parts.metrics.refused(code);
  const by = code === 'superseded' ? await newestVersion(caller, promotion) : null;
  const words = [
    refusedWords[code] ?? 'Nothing was recorded.',
    `${capital(message)}.`,
    ...(by === null ? [] : [`The newest version is ${by}.`]),
    ...(whoCan.length === 0 ? [] : [`Who can: ${whoCan.map(nameOf).join(', ')}.`]),
  ];
  const isElsewhere = code === 'step_up_required' || code === 'channel_not_allowed';
  return { text: words.join(' '), code, page: isElsewhere ? pageOf(parts, promotion) : null, isSure: true };
}

async function newestVersion({ reads }: Caller, promotion: PromotionId): Promise<string | null> {
  const prototype = (await reads.promotion(promotion))?.state.prototype;
  if (prototype === undefined) return null;
  const { items } = await reads.promotions({ prototype, limit: 1 });
  return items[0]?.state.candidate.version ?? null;
}

/** The page at which a promotion is decided. */
export function pageOf({ config }: Pick<Parts, 'config'>, promotion: PromotionId): string {
  return `${config.publicUrl}/decide/${gateIdOf(promotion, 'approval')}`;
}
