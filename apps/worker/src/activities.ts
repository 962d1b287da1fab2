import { Context } from '@temporalio/activity';
import { type Step, type WatchCheck, isId } from '@proviso/domain';
import { JournalFailure } from '@proviso/journal';
import type { Activities, PromotionSubject } from '@proviso/workflow';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { failure, openClerk } from './clerk.ts';
import { type Act, carry } from './errand.ts';
import type { Turn, WorkerPorts } from './ports.ts';
import { build } from './steps/build.ts';
import { canary } from './steps/canary.ts';
import { evaluation } from './steps/evaluation.ts';
import { readiness } from './steps/readiness.ts';
import { scan } from './steps/scan.ts';
import { staging } from './steps/staging.ts';
import { undo } from './steps/undo.ts';
import { cost } from './watches/cost.ts';
import { drift } from './watches/drift.ts';
import { errorBudget } from './watches/error-budget.ts';
import { evaluation as evaluationAgain } from './watches/evaluation.ts';
import { owner } from './watches/owner.ts';
import { review } from './watches/review.ts';
import { scan as scanAgain } from './watches/scan.ts';
import { type Look, watchOnce } from './watching.ts';

/** One file per step; a new step is a file and a line here. */
export const acts: Readonly<Record<Step, Act>> = { readiness, build, scan, evaluation, staging, canary, undo };

/** One file per kind of look at a live release. */
export const looks: Readonly<Record<WatchCheck, Look>> = {
  ...{ owner, review, cost, errorBudget, drift },
  scan: scanAgain,
  evaluation: evaluationAgain,
};

/** Under the shortest heartbeat timeout (undo, 3 s) even when one is late; the SDK itself sends fewer where it may. */
const beatMs = 1_000;

/** The activities of a worker. */
export function createActivities(ports: WorkerPorts) {
  return {
    look: async (subject) => await onTurn(ports, subject, async (turn) => await openClerk(ports, subject, turn).ask()),
    carry: async (asked) =>
      await onTurn(ports, asked, async (turn) => {
        const carried = async () => await carry(ports, asked, { turn, act: acts[asked.step] });
        // Before the claim: what waits for its turn has not begun, and its time is not running.
        return asked.step === 'build' ? await ports.builds.run(asked.workspace, turn.signal, carried) : await carried();
      }),
    watch: async (asked) =>
      await onTurn(ports, asked, async (turn) => await watchOnce(ports, asked, { turn, look: looks[asked.check] })),
    abandon: async (subject) => await onTurn(ports, subject, async (turn) => await abandon(ports, subject, turn)),
  } satisfies Activities;
}

async function abandon(ports: WorkerPorts, subject: PromotionSubject, turn: Turn): Promise<void> {
  const { promotion } = subject;
  const key = `${promotion}/abandon/${turn.claimant}`;
  const receipt = await openClerk(ports, subject, turn).submit({ kind: 'Cancel', promotion }, key);
  const over = receipt.kind === 'accepted' || receipt.refusal.code === 'promotion_ended';
  if (!over) ports.log.error({ promotion, code: receipt.refusal.code }, 'abandon.refused');
}

/** Gives a call its name, its heartbeats and its closed failures: no other text of ours or of anybody leaves this room. */
async function onTurn<Result>(
  ports: WorkerPorts,
  subject: PromotionSubject | undefined,
  work: (turn: Turn) => Promise<Result>,
): Promise<Result> {
  // A run that was started by hand without a subject would be tried for ever, under a promotion's own id.
  if (!isId('prm', subject?.promotion ?? '') || !isId('wsp', subject?.workspace ?? ''))
    throw failure('promotion_unknown');
  const context = Context.current();
  const { workflowExecution, activityId, attempt, heartbeatDetails } = context.info;
  let beginnings = beginningsOf(heartbeatDetails);
  const beat = (): void => context.heartbeat({ beginnings });
  const beating = setInterval(beat, beatMs);
  const turn: Turn = {
    claimant: `${workflowExecution?.runId ?? 'no-run'}/${activityId}/${attempt}`,
    signal: context.cancellationSignal,
    beginnings,
    begin: () => {
      beginnings += 1;
      beat();
    },
  };
  try {
    return await work(turn);
  } catch (error) {
    if (turn.signal.aborted) throw stopOf(turn.signal.reason);
    if (error instanceof ApplicationFailure || error instanceof CancelledFailure) throw error;
    throw failureOf(ports, error);
  } finally {
    clearInterval(beating);
  }
}

/**
 * A run that was cancelled is a rollback, so nothing else may look like one: a worker that is told to stop, or a call that
 * timed out, is tried again.
 */
function stopOf(reason: unknown): CancelledFailure | ApplicationFailure {
  const cancelled = reason instanceof CancelledFailure && reason.message === 'CANCELLED';
  return cancelled ? new CancelledFailure('expected to go on, got cancelled') : failure('interrupted');
}

function failureOf(ports: WorkerPorts, error: unknown): ApplicationFailure {
  if (error instanceof JournalFailure && error.retryable) return failure('journal_unavailable');
  ports.log.error({ stack: error instanceof Error ? error.stack : typeof error }, 'activity.unexpected');
  return failure('unexpected');
}

function beginningsOf(details: unknown): number {
  const told = typeof details === 'object' && details !== null && 'beginnings' in details ? details.beginnings : 0;
  return typeof told === 'number' ? told : 0;
}
