import type { PersonState, Refusal, StreamKind } from '@proviso/domain';
import type { Receipt, Submission } from '../port.ts';
import type { Session } from '../session.ts';
import { write, type Writing } from './append.ts';
import { entryOf } from './entry.ts';
import { headOf, lastChange, loadedFrom, readAnswer } from './load.ts';
import { lock, type LockPlan } from './lock.ts';
import { replayOf } from './outcome.ts';

/** The workspace's stream of refusals: never folded, never a wake. One lock, so it is its own queue. */
const refusals = { kind: 'log' satisfies StreamKind, id: 'refusals' } as const;
const plan: LockPlan = { promotions: [], lanes: [], ownLanes: false, others: [refusals], kept: [] };

/** What is recorded of a no. */
export interface Refused {
  readonly submission: Submission;
  readonly commandHash: Buffer;
  readonly actor: PersonState;
  readonly refusal: Refusal;
}

/**
 * Records a no in its own transaction, so that refused askers never hold a promotion's lock. When the key was answered
 * meanwhile, to a twin of this request, that answer is this one's too.
 */
export async function recordRefusal(ports: { session: Session; origin: string }, refused: Refused): Promise<Receipt> {
  const { submission, commandHash, actor, refusal } = refused;
  const { workspace, command, idempotencyKey: key } = submission;
  return await ports.session.transaction(workspace, async (transaction) => {
    const [rows, reading] = await Promise.all([
      lock(transaction, workspace, plan),
      readAnswer(transaction, workspace, key),
    ]);
    const replay = replayOf(reading, commandHash);
    if (replay !== null) return replay;
    const loaded = loadedFrom(rows);
    const head = headOf(loaded, 'log/refusals');
    const now = Math.max(reading.now, lastChange(rows));
    const context = {
      origin: ports.origin,
      workspace,
      now,
      actor,
      authn: submission.authn,
      idempotencyKey: key,
      commitments: {},
    };
    const about = 'promotion' in command ? command.promotion : null;
    const body = { command: command.kind, promotion: about, code: refusal.code, rule: refusal.rule ?? null };
    const entry = entryOf(
      { stream: refusals.kind, streamId: refusals.id, kind: 'refusal_recorded', body },
      head,
      context,
    );
    const stream = {
      kind: refusals.kind,
      id: refusals.id,
      revision: entry.sseq,
      head: entry.hash,
      state: null,
    };
    const writing: Writing = { ...nothing, entries: [entry], streams: [stream] };
    const receipt: Receipt = { kind: 'refused', refusal, replayed: false };
    await Promise.all([
      write(transaction, { workspace, now, writing, key, commandHash, receipt }),
      transaction.commit(),
    ]);
    return receipt;
  });
}

const nothing: Writing = {
  entries: [],
  streams: [],
  status: [],
  evidence: [],
  tokens: [],
  revoked: [],
  leases: [],
  lapses: [],
  look: null,
  wakes: [],
  vault: null,
  newKey: null,
};
