import { randomUUID } from 'node:crypto';
import type { PersonId, PersonState, Refusal, StreamKind, TokenRecord } from '@proviso/domain';
import type { DoorRefusal, Receipt, Submission } from '../port.ts';
import type { Row, Session, Transaction } from '../session.ts';
import { write, type Writing } from './append.ts';
import { noCredentials } from './credentials.ts';
import { entryOf } from './entry.ts';
import { headOf, lastChange, loadedFrom, readAnswer } from './load.ts';
import { lock, type LockPlan } from './lock.ts';
import { keyConflict, replayOf } from './outcome.ts';
import { takenNothing } from './taken.ts';

/** The workspace's stream of refusals: never folded, never a wake. One lock, so it is its own queue. */
const refusals = { kind: 'log' satisfies StreamKind, id: 'refusals' } as const;
const plan: LockPlan = { promotions: [], lanes: [], ownLanes: false, others: [refusals], kept: [] };

/** Who was refused, and who lent them the token they came with. */
export interface Who {
  readonly actor: PersonState;
  readonly lentBy: PersonId | null;
}

/** The same with the token itself; null for whoever needs none, and for whoever came with one that holds no more. */
export interface Bearer extends Who {
  readonly token: TokenRecord | null;
}

/** What is recorded of a no. */
export interface Refused extends Who {
  readonly submission: Submission;
  readonly commandHash: Buffer;
  readonly refusal: Refusal;
}

interface Ports {
  readonly session: Session;
  readonly origin: string;
}

/**
 * Records a no in its own transaction, so that refused askers never hold a promotion's lock. When the key was answered
 * meanwhile, to a twin of this request, that answer is this one's too.
 */
export async function recordRefusal(ports: Ports, refused: Refused): Promise<Receipt> {
  const { submission, commandHash } = refused;
  const { workspace, command, authn, idempotencyKey: key } = submission;
  return await ports.session.transaction(workspace, async (transaction) => {
    const [rows, reading] = await Promise.all([
      lock(transaction, { workspace, plan, heads: [] }),
      readAnswer(transaction, { workspace, key }),
    ]);
    const replay = replayOf(reading, commandHash);
    if (replay !== null && replay !== 'conflict') return replay;
    const refusal = replay === 'conflict' ? keyConflict : refused.refusal;
    const about = 'promotion' in command ? command.promotion : null;
    const body = { command: command.kind, promotion: about, code: refusal.code, rule: refusal.rule ?? null };
    const receipt: Receipt = { kind: 'refused', refusal, replayed: false };
    // The key belongs to the request that it was first used for, so this no goes under one of its own.
    const asked = { key: replay === 'conflict' ? freshKey() : key, commandHash, receipt };
    await append(
      { transaction, rows, now: reading.now, origin: ports.origin },
      { ...refused, workspace, authn },
      {
        kind: 'refusal_recorded',
        body,
        asked,
      },
    );
    return receipt;
  });
}

/** Records what a door said by itself, before there was a command: one no, or the sum of a minute's small ones. */
export async function recordAtDoor(ports: Ports, said: DoorRefusal): Promise<void> {
  const { workspace, told } = said;
  const { kind, ...body } = told;
  const receipt = { kind: 'told' };
  await ports.session.transaction(workspace, async (transaction) => {
    const key = freshKey();
    const [rows, { now }] = await Promise.all([
      lock(transaction, { workspace, plan, heads: [] }),
      readAnswer(transaction, { workspace, key }),
    ]);
    const asked = { key, commandHash: Buffer.alloc(32), receipt };
    await append({ transaction, rows, now, origin: ports.origin }, said, { kind, body, asked });
  });
}

/** No door lets a key begin like this, so nobody can ask under a key that only we wrote. */
function freshKey(): string {
  return `refusal ${randomUUID()}`;
}

interface At {
  readonly transaction: Transaction;
  readonly rows: readonly Row[];
  readonly now: number;
  readonly origin: string;
}

interface Recorded {
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly asked: { readonly key: string; readonly commandHash: Buffer; readonly receipt: unknown };
}

async function append(
  { transaction, rows, now: read, origin }: At,
  by: Who & Pick<DoorRefusal, 'workspace' | 'authn'>,
  { kind, body, asked }: Recorded,
): Promise<void> {
  const { workspace, actor, lentBy, authn } = by;
  const now = Math.max(read, lastChange(rows));
  const context = { origin, workspace, now, actor, lentBy, authn, idempotencyKey: asked.key, commitments: {} };
  const told = { stream: refusals.kind, streamId: refusals.id, kind, body };
  const entry = entryOf(told, headOf(loadedFrom(rows), 'log/refusals'), context);
  const stream = { kind: refusals.kind, id: refusals.id, revision: entry.sseq, head: entry.hash, state: null };
  const writing: Writing = { ...nothing, entries: [entry], streams: [stream] };
  await Promise.all([write(transaction, { workspace, now, writing, ...asked }), transaction.commit()]);
}

const nothing: Writing = {
  entries: [],
  streams: [],
  status: [],
  taken: takenNothing,
  evidence: [],
  credentials: noCredentials,
  lease: { lanes: [], ms: 0 },
  lapses: [],
  look: null,
  wakes: [],
  vault: null,
  shredded: [],
  marks: [],
  newKey: null,
};
