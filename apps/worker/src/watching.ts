import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { EvidenceRef, PersonId, PrototypeId, Reason, WatchCheck, WatchCounts, WatchTurn } from '@proviso/domain';
import { JournalFailure, type Receipt } from '@proviso/journal';
import { type PromotionSubject, watchBounds } from '@proviso/workflow';
import { failure, openClerk, readJournal } from './clerk.ts';
import type { Sight } from './errand.ts';
import type { Turn, WorkerPorts } from './ports.ts';
import { breakageCodeOf, fitting } from './step-outcome.ts';

/** A look that is due, with all that it needs. */
export interface WatchErrand extends Sight {
  readonly round: number;
}

/** What a look has measured; the journal says what it means. */
export interface Measured {
  /** Null: it could not be told, and the reasons say why. */
  readonly figure: number | null;
  readonly reasons: readonly Reason[];
  readonly evidence: readonly EvidenceRef[];
  readonly counts?: WatchCounts;
  readonly owner?: { readonly prototype: PrototypeId; readonly person: PersonId };
}

/** Makes one kind of look. */
export type Look = (errand: WatchErrand) => Promise<Measured>;

/** A look that could not tell, and why. */
export function unseen(code: string, message: string): Measured {
  return { figure: null, reasons: [{ code, message }], evidence: [] };
}

/**
 * Claim → look → report, as a step does it. A look changes nothing, so a breakage is not tried again: it is told as one
 * that could not see, and the next round comes by itself.
 */
export async function watchOnce(
  ports: WorkerPorts,
  asked: PromotionSubject & { readonly check: WatchCheck },
  { turn, look }: { readonly turn: Turn; readonly look: Look },
): Promise<'seen' | 'over'> {
  const { workspace, promotion, check } = asked;
  const subject = { workspace, promotion };
  const clerk = openClerk(ports, subject, turn);
  const key = `${promotion}/watch/${check}/${turn.claimant}`;
  const claimed = turnIn(await clerk.submit({ kind: 'ClaimWatch', promotion, check }, `${key}/claim`));
  if (claimed?.kind === 'over') return 'over';
  if (claimed?.kind !== 'look') return 'seen';
  const { round } = claimed;
  const measured = await lookWithin(ports, { subject, check, round, turn, look });
  const reasons = fitting(measured.reasons);
  const report = { kind: 'ReportWatch', promotion, check, round, ...measured, reasons } as const;
  const told = turnIn(await clerk.submit(report, `${key}/report`));
  return told?.kind === 'over' ? 'over' : 'seen';
}

/** Null: somebody else was heard first, or whoever answers for the prototype has changed meanwhile. The next round sees. */
function turnIn(receipt: Receipt): WatchTurn | null {
  if (receipt.kind === 'accepted' && receipt.answer.kind === 'watching') return receipt.answer.turn;
  if (isOvertaken(receipt)) return null;
  const unknown = receipt.kind === 'refused' && receipt.refusal.code === 'not_found';
  throw failure(unknown ? 'promotion_unknown' : 'refused');
}

function isOvertaken(receipt: Receipt): boolean {
  return receipt.kind === 'refused' && ['stale_attempt', 'stale_revision'].includes(receipt.refusal.code);
}

interface LookCall {
  readonly subject: PromotionSubject;
  readonly check: WatchCheck;
  readonly round: number;
  readonly turn: Turn;
  readonly look: Look;
}

async function lookWithin(ports: WorkerPorts, call: LookCall): Promise<Measured> {
  const { subject, check, round, turn, look } = call;
  const deadline = AbortSignal.timeout(watchBounds[check].actMsMax);
  const signal = AbortSignal.any([turn.signal, deadline]);
  try {
    const view = await readJournal(ports, subject, async (reads) => await reads.promotion(subject.promotion));
    if (view === null) throw failure('promotion_unknown');
    return await look({ ports, subject, state: view.state, signal, round });
  } catch (error) {
    if (turn.signal.aborted) throw new CancelledFailure('expected to go on, got cancelled');
    if (error instanceof ApplicationFailure) throw error;
    if (error instanceof JournalFailure && error.retryable) throw failure('journal_unavailable');
    const code = deadline.aborted ? 'timed_out' : breakageCodeOf(error);
    const ours = code === 'unexpected' && error instanceof Error ? { stack: error.stack } : {};
    ports.log.warn({ ...subject, check, round, code, ...ours }, 'watch.broke');
    return unseen(code, `this look broke, so nothing could be told: ${code}`);
  }
}
