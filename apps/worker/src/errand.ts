import { CancelledFailure, ApplicationFailure } from '@temporalio/common';
import type { GateName, Onward, PromotionState, Step } from '@proviso/domain';
import { JournalFailure, type PromotionView } from '@proviso/journal';
import { type PromotionSubject, stepBounds } from '@proviso/workflow';
import { type Clerk, failure, keyOf, onwardOf, openClerk, readJournal } from './clerk.ts';
import type { Turn, WorkerPorts } from './ports.ts';
import { type Acted, StepBreakage, type StepOutcome, breakageCodeOf, fitting } from './step-outcome.ts';

/** What was granted: this attempt of this step, to this claimant alone. */
export interface Grant {
  readonly step: Step;
  readonly attempt: number;
  readonly fence: number;
  readonly laneFence: number | null;
  /** When it was granted, by the journal's clock. */
  readonly at: number;
}

/** A granted step with all that its act needs. */
export interface Errand {
  readonly ports: WorkerPorts;
  readonly clerk: Clerk;
  readonly subject: PromotionSubject;
  readonly grant: Grant;
  readonly view: PromotionView;
  readonly state: PromotionState;
  /** Aborted when the run is cancelled, the worker ends, or the step has used up its time. */
  readonly signal: AbortSignal;
  /** The key of a command of this grant. */
  readonly key: (verb: string) => string;
}

/** The part of it that looks at a version, whoever asks: a gate before it is live, or the watch afterwards. */
export type Sight = Pick<Errand, 'ports' | 'subject' | 'state' | 'signal'>;

/** Does the work of one step. */
export type Act = (errand: Errand) => Promise<Acted>;

/** A step begun this often without ever ending takes its worker down with it; three kills by hand stay below. */
const beginningsMax = 8;

/** Claim → act → report. Whatever happens in between, the answer is what the journal says is next. */
export async function carry(
  ports: WorkerPorts,
  asked: PromotionSubject & { readonly step: Step },
  { turn, act }: { readonly turn: Turn; readonly act: Act },
): Promise<Onward> {
  const { workspace, promotion, step } = asked;
  const subject = { workspace, promotion };
  const clerk = openClerk(ports, subject, turn);
  const grant = await claim(clerk, { subject, step, turn });
  if ('kind' in grant) return grant;
  ports.fault('after_claim');
  turn.begin();
  const acted = await actWithin(ports, { subject, clerk, grant, turn, act });
  ports.fault('before_report');
  if (acted.kind === 'ask') return await clerk.ask();
  return await report(clerk, { subject, grant, told: acted });
}

async function claim(
  clerk: Clerk,
  { subject, step, turn }: { subject: PromotionSubject; step: Step; turn: Turn },
): Promise<Grant | Onward> {
  const { promotion } = subject;
  const command = { kind: 'Claim', promotion, step, claimant: turn.claimant } as const;
  const receipt = await clerk.submit(command, `${promotion}/${step}/claim/${turn.claimant}`);
  if (receipt.kind === 'refused') {
    if (receipt.refusal.code === 'not_found') throw failure('promotion_unknown');
    return await clerk.askAfterNo(step);
  }
  if (receipt.answer.kind !== 'granted') return onwardOf(receipt);
  const { attempt, fence, laneFence, at } = receipt.answer;
  return { step, attempt, fence, laneFence, at };
}

type Told =
  | { readonly kind: 'report'; readonly outcome: StepOutcome }
  | { readonly kind: 'breakage'; readonly code: string };

async function actWithin(
  ports: WorkerPorts,
  call: { subject: PromotionSubject; clerk: Clerk; grant: Grant; turn: Turn; act: Act },
): Promise<Acted | Told> {
  const { subject, clerk, grant, turn, act } = call;
  const deadline = AbortSignal.timeout(stepBounds[grant.step].actMsMax);
  const signal = AbortSignal.any([turn.signal, deadline]);
  try {
    if (turn.beginnings >= beginningsMax && grant.step !== 'undo') throw new StepBreakage('worker_lost');
    const view = await viewOf(ports, subject);
    const key = (verb: string): string => keyOf(subject, { ...grant, verb });
    const errand: Errand = { ports, clerk, subject, grant, view, state: view.state, signal, key };
    return await Promise.race([act(errand), rejection(signal)]);
  } catch (error) {
    if (turn.signal.aborted) throw new CancelledFailure('expected to go on, got cancelled');
    if (error instanceof ApplicationFailure) throw error;
    // A database that is away is no fault of the step, and could not be told so either.
    if (error instanceof JournalFailure && error.retryable) throw failure('journal_unavailable');
    const code = deadline.aborted ? 'timed_out' : breakageCodeOf(error);
    logBreakage(ports, { ...subject, step: grant.step, attempt: grant.attempt, code }, error);
    // Undo has no verdict that could be inconclusive: it is tried again until the way back is tidied up.
    if (grant.step === 'undo') throw failure('unexpected');
    return { kind: 'breakage', code };
  }
}

async function viewOf(ports: WorkerPorts, subject: PromotionSubject): Promise<PromotionView> {
  const view = await readJournal(ports, subject, async (reads) => await reads.promotion(subject.promotion));
  if (view === null) throw failure('promotion_unknown');
  return view;
}

async function rejection(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function report(
  clerk: Clerk,
  { subject, grant, told }: { subject: PromotionSubject; grant: Grant; told: Told },
): Promise<Onward> {
  const { step, attempt, fence } = grant;
  const gate = step as GateName;
  const ofGrant = { promotion: subject.promotion, gate, attempt, fence };
  const receipt =
    told.kind === 'report'
      ? await clerk.submit(
          { kind: 'Report', ...ofGrant, ...told.outcome, reasons: fitting(told.outcome.reasons) },
          keyOf(subject, { ...grant, verb: 'report' }),
        )
      : await clerk.submit(
          { kind: 'Breakage', ...ofGrant, code: told.code },
          keyOf(subject, { ...grant, verb: 'breakage' }),
        );
  // A newer claimant or the way back has overtaken this call: what it found out counts no more.
  return receipt.kind === 'refused' ? await clerk.askAfterNo(step) : onwardOf(receipt);
}

function logBreakage(ports: WorkerPorts, fields: Readonly<Record<string, unknown>>, error: unknown): void {
  const ours = fields.code === 'unexpected' && error instanceof Error ? { stack: error.stack } : {};
  ports.log.warn({ ...fields, ...ours }, 'step.broke');
}
