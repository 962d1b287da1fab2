import { ApplicationFailure } from '@temporalio/common';
import { type Answer, type Command, type Onward, type Step, builtinPrincipals } from '@proviso/domain';
import { JournalFailure, type LookRow, type Reads, type Receipt } from '@proviso/journal';
import type { FailureCode, PromotionSubject } from '@proviso/workflow';
import type { Turn, WorkerPorts } from './ports.ts';

/** Writes to the journal for one activity, as the worker, with keys that make every retry harmless. */
export interface Clerk {
  readonly submit: (command: Command, key: string, look?: LookRow) => Promise<Receipt>;
  /** Asks what is next. */
  readonly ask: () => Promise<Onward>;
  /** Asks what is next after a no; the same step again is put off a little, so that two claimants cannot spin. */
  readonly askAfterNo: (step: Step) => Promise<Onward>;
}

/** About 20 s together: a restart of PostgreSQL is waited out here, with the work of a long step still in hand. */
const submitTriesMax = 14;
const pauseMsFirst = 100;
const pauseMsMax = 2_000;
/** A step that was refused and is still due is somebody else's turn, or a held lane's. */
const putOffMs = 3_000;

/** A clerk for one call of an activity. */
export function openClerk(ports: WorkerPorts, subject: PromotionSubject, turn: Turn): Clerk {
  let asks = 0;
  const submit: Clerk['submit'] = async (command, key, look) => {
    const submission = {
      workspace: subject.workspace,
      actor: builtinPrincipals.worker.id,
      command,
      idempotencyKey: key,
      authn: 'service/worker',
      ...(look !== undefined && { look }),
    };
    for (let tries = 1; ; tries += 1) {
      try {
        return await ports.journal.submit(submission);
      } catch (error) {
        const again = error instanceof JournalFailure && error.retryable;
        if (!again) throw error;
        if (tries === submitTriesMax) throw failure('journal_unavailable');
        await ports.clock.pause(Math.min(pauseMsMax, pauseMsFirst * 2 ** (tries - 1)), turn.signal);
      }
    }
  };
  const ask = async (): Promise<Onward> => {
    asks += 1;
    // A key of its own for each asking: a replayed answer would be an old one.
    const receipt = await submit({ kind: 'Tick', promotion: subject.promotion }, `${turn.claimant}/tick/${asks}`);
    return onwardOf(receipt);
  };
  return {
    submit,
    ask,
    askAfterNo: async (step) => {
      const onward = await ask();
      const same = onward.kind === 'run' && onward.step === step;
      return same ? { kind: 'wait', until: ports.clock.now() + putOffMs, why: 'retry' } : onward;
    },
  };
}

/** Reads of the journal. A read can break in one way only: the database is away, and the call is made again. */
export async function readJournal<Result>(
  ports: Pick<WorkerPorts, 'journal'>,
  { workspace }: Pick<PromotionSubject, 'workspace'>,
  use: (reads: Reads) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(ports.journal.reads(workspace));
  } catch {
    throw failure('journal_unavailable');
  }
}

/** The key of a command: the same claim saying the same thing is the same command, whoever repeats it. */
export function keyOf(
  subject: PromotionSubject,
  part: { readonly step: Step; readonly attempt: number; readonly fence: number; readonly verb: string },
): string {
  return `${subject.promotion}/${part.step}/${part.attempt}/${part.fence}/${part.verb}`;
}

/** The onward of an answer that must have one. */
export function onwardOf(receipt: Receipt): Onward {
  const answer = accepted(receipt);
  if (answer.kind === 'onward') return answer.onward;
  throw failure('unexpected');
}

function accepted(receipt: Receipt): Answer {
  if (receipt.kind === 'accepted') return receipt.answer;
  throw failure(receipt.refusal.code === 'not_found' ? 'promotion_unknown' : 'refused');
}

/** The only form in which a failure reaches Temporal: a closed code and nothing else. */
export function failure(code: FailureCode): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message: code, nonRetryable: code === 'promotion_unknown' });
}
