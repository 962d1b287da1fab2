import { randomUUID } from 'node:crypto';
import { authorise, mightBeAllowed, subjectOf } from '@proviso/authority';
import {
  type Command,
  decide,
  lenderOf,
  type Decided,
  type Door,
  type PersonState,
  type Reach,
  reachOf,
  type Refusal,
  refusal,
  type Scene,
  uuidOf,
} from '@proviso/domain';
import canonicalize from 'canonicalize';
import { JournalFailure } from '../failure.ts';
import type { Receipt, Submission } from '../port.ts';
import { codeOf, isBroken, type Session, type Transaction } from '../session.ts';
import type { Vault } from '../vault/vault.ts';
import { type Writing, write, writingOf } from './append.ts';
import { type EntryContext, EntryTooLarge } from './entry.ts';
import {
  actorIn,
  type Beside,
  lastChange,
  type Loaded,
  loadedFrom,
  readAnswer,
  readFor,
  type Reading,
  readLater,
  sceneOf,
  votersIn,
} from './load.ts';
import { lock, type LockPlan, planOf, rivalsOf } from './lock.ts';
import { keyConflict, replayOf } from './outcome.ts';
import { staleRevision } from './precondition.ts';
import { type Bearer, recordRefusal, type Who } from './refusals.ts';
import type { Remembered } from './remembered.ts';
import { writeWebhooks } from './webhooks.ts';

/** How often a submission is decided again when rows moved between looking and locking. */
const triesMax = 3;

/**
 * How often an opening looks anew because another of the same prototype came before it. Each such time one got through,
 * so as many as wait for a connection at once all get their turn.
 */
const movesMax = 40;

/** What `submit` works with. */
export interface SubmitPorts {
  readonly session: Session;
  readonly vault: Vault;
  readonly remembered: Remembered;
  readonly origin: string;
  /** Called after a commit that wakes someone; coalesced by its owner. */
  readonly notify: () => void;
}

/** Another attempt may succeed: rows moved, a key was taken meanwhile, a lock was busy, a statement took too long. */
const retriable = new Set(['23505', '40001', '40P01', '55P03', '57014']);

function mayPass(error: unknown): boolean {
  return retriable.has(codeOf(error) ?? '');
}

/** Does again what another's lock or a stream's first entry was in the way of, as often as a submission is. */
export async function patiently(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (tries === triesMax)
        throw new JournalFailure('contention', `expected the rows to hold still within ${triesMax} tries`, error);
    }
  }
}

/**
 * The one way in. Two statement batches: lock and read; then, after the pure decision, one write with the commit.
 * An answer means durable. When the connection dies at COMMIT the key tells on a new connection what came of it.
 */
export async function submit(ports: SubmitPorts, submission: Submission): Promise<Receipt> {
  const commandHash = hashOf(ports.vault, submission);
  for (let attempt = 1, moves = 0; ; ) {
    try {
      return await once(ports, submission, commandHash);
    } catch (error) {
      if (error instanceof JournalFailure) throw error;
      if (error instanceof Moved && moves < movesMax) {
        moves += 1;
        continue;
      }
      const again = mayPass(error) || error instanceof Moved;
      if (again && attempt < triesMax) {
        attempt += 1;
        continue;
      }
      if (again)
        throw new JournalFailure('contention', `expected the rows to hold still within ${triesMax} tries`, error);
      if (isBroken(error)) return await outcomeOf(ports, submission, commandHash, error);
      throw error;
    }
  }
}

/** No door lets a key begin like this, so nobody can ask under it. */
const lapsePrefix = 'lapse ';

/** Rows were not what the plan had seen; nothing was written. */
class Moved extends Error {}

async function once(ports: SubmitPorts, submission: Submission, commandHash: Buffer): Promise<Receipt> {
  const { workspace, command } = submission;
  const plan = await planOf(ports.session, workspace, command);
  const outcome = await ports.session.transaction(workspace, (transaction) =>
    decideAndWrite({ ports, submission, commandHash, plan, transaction }),
  );
  ports.remembered.keep(workspace, outcome.folded);
  if (outcome.receipt.kind === 'accepted' && outcome.wakes) ports.notify();
  if (outcome.refused === null) return outcome.receipt;
  return await recordRefusal(ports, { submission, commandHash, ...outcome.refused });
}

/** Whoever does not say how they came in has no more than a process of ours, which decides nothing. */
const serviceDoor: Door = { channel: 'service', freshAt: null };

interface Work {
  readonly ports: SubmitPorts;
  readonly submission: Submission;
  readonly commandHash: Buffer;
  readonly plan: LockPlan;
  readonly transaction: Transaction;
}

interface Outcome {
  readonly receipt: Receipt;
  readonly wakes: boolean;
  /** What streams are now, as committed. */
  readonly folded: ReadonlyMap<string, Loaded>;
  /** A refusal is recorded in its own transaction, when no promotion is locked any more. */
  readonly refused: (Who & { readonly refusal: Refusal }) | null;
}

async function decideAndWrite(work: Work): Promise<Outcome> {
  const { ports, submission, plan, transaction, commandHash } = work;
  const { workspace, command, actor: actorId, idempotencyKey: key } = submission;
  const known = ports.remembered.of(workspace, plan);
  const beside = besideOf(submission, plan, known);
  const [rows, first, rivals] = await Promise.all([
    lock(transaction, { workspace, plan, heads: [...known.values()].map(({ head }) => head.hash) }),
    readFor(transaction, beside),
    rivalsIn(transaction, workspace, reachOf(command)),
  ]);
  const replay = replayOf(first, commandHash);
  if (replay !== null && replay !== 'conflict')
    return { receipt: replay, wakes: false, folded: nothing, refused: null };
  if (rivals.some((rival) => !plan.promotions.includes(rival))) throw new Moved();
  const actor = actorIn(first, actorId);
  if (actor === null)
    return refusedBy(refusal('not_permitted', 'expected a known principal'), {
      actor: unknownActor(actorId),
      lentBy: null,
    });
  const who = whoIs(actor, submission.token);
  if (who === null)
    return refusedBy(refusal('not_permitted', 'expected a token that still holds', { rule: 'token/revoked' }), {
      actor,
      lentBy: null,
    });
  if (replay === 'conflict') return refusedBy(keyConflict, who);
  const loaded = loadedFrom(rows, known);
  const reading = await withAllPeople(work, { ...who, beside, first, loaded });
  const now = Math.max(reading.now, lastChange(rows));
  const came = { door: submission.door ?? serviceDoor, says: submission.reason !== undefined };
  const scene = sceneOf({ command, ...who, ...came, loaded, reading, now });
  const denied = deniedBy(scene, command);
  if (denied !== null) return refusedBy(denied, who);
  const decided = decide(scene, command);
  if (decided.outcome.kind === 'refused' && decided.drafts.length === 0) return refusedBy(decided.outcome.refusal, who);
  const stale = staleRevision(submission.onRevision, plan, loaded);
  if (stale !== null) return refusedBy(stale, who);
  if (decided.outcome.kind !== 'refused' && changesNothing(decided, submission)) {
    const revision = [...loaded.values()][0]?.head.revision ?? 0;
    return {
      receipt: { kind: 'accepted', answer: decided.outcome, revision, entries: [], replayed: false },
      wakes: false,
      folded: loaded,
      refused: null,
    };
  }
  const context: EntryContext = {
    origin: work.ports.origin,
    workspace,
    now,
    ...who,
    authn: submission.authn,
    idempotencyKey: key,
    commitments: {},
  };
  try {
    return await writeDown(work, { decided, who, reading, context, loaded });
  } catch (error) {
    // Thrown before anything was sent: what fits no entry is a no like any other.
    if (!(error instanceof EntryTooLarge)) throw error;
    return refusedBy(refusal('too_large', error.message), who);
  }
}

/** Open promotions of the prototype as they are under its lock, where they matter. */
async function rivalsIn(transaction: Transaction, workspace: Submission['workspace'], { rivals, prototype }: Reach) {
  return rivals === true && prototype !== undefined ? await rivalsOf(transaction, workspace, prototype) : [];
}

/** Voters matter to whoever counts votes, everybody involved to an opening, and otherwise the actor alone. */
function besideOf(submission: Submission, plan: LockPlan, known: ReadonlyMap<string, Loaded>): Beside {
  const { workspace, actor, command, idempotencyKey: key, reason } = submission;
  const { people, rivals, promotion, usage, prototype, artifact, identity, policies } = reachOf(command);
  const involved = people === true && rivals === true;
  const beside = {
    ...(usage === true && { counts: promotion ?? '' }),
    ...(artifact !== undefined && prototype !== undefined && { keeps: { prototype, artifact } }),
    ...(identity !== undefined && { identity }),
  };
  const voters = people === true && !involved ? votersIn(statesOf(known)) : [];
  return {
    workspace,
    actor,
    plan,
    people: voters,
    involved,
    key,
    seals: reason !== undefined,
    publishes: policies === true,
    ...beside,
  };
}

/** Who voted is certain only under the lock, and by whom somebody acts when they were read; all are read now, once. */
async function withAllPeople(
  { submission, transaction }: Work,
  { beside, first, loaded, lentBy }: Who & { beside: Beside; first: Reading; loaded: ReadonlyMap<string, Loaded> },
): Promise<Reading> {
  const { workspace, actor, command } = submission;
  const asked = new Set([actor, ...beside.people]);
  const behind = [first.people[actor]?.actsFor, lentBy].flatMap((id) => id ?? []);
  const counts = reachOf(command).people === true && !beside.involved;
  // Who votes in somebody's stead does so by that person's right, which is kept from changing like a voter's own.
  const delegators = (first.people[actor]?.bindings ?? []).flatMap(({ from }) => from ?? []);
  const voting = counts ? [...votersIn(statesOf(loaded)), ...delegators] : [];
  const people = [...behind, ...voting].filter((one) => !asked.has(one) && first.people[one] === undefined);
  if (people.length === 0) return first;
  return { ...first, people: { ...first.people, ...(await readLater(transaction, { workspace, people })) } };
}

function statesOf(streams: ReadonlyMap<string, Loaded>): readonly Loaded['state'][] {
  return [...streams.values()].map(({ state }) => state);
}

/** A question that was answered: nothing to keep, and asked again it is answered again. */
function changesNothing(decided: Decided, submission: Submission): boolean {
  return decided.drafts.length === 0 && decided.leaseMs === 0 && submission.look === undefined;
}

/** A vote on a promotion that does not exist is not found, whoever asks; everything else is first a matter of rights. */
function deniedBy(scene: Scene, command: Command): Refusal | null {
  if (reachOf(command).promotion !== undefined && scene.promotion === null && command.kind !== 'OpenPromotion') {
    return mightBeAllowed(subjectOf(scene, command));
  }
  return authorise(subjectOf(scene, command));
}

interface Settled {
  readonly decided: Decided;
  readonly who: Bearer;
  readonly reading: Reading;
  readonly context: EntryContext;
  readonly loaded: ReturnType<typeof loadedFrom>;
}

async function writeDown(work: Work, settled: Settled): Promise<Outcome> {
  const { ports, submission, transaction, commandHash } = work;
  const { decided, who, reading, loaded } = settled;
  const { workspace, idempotencyKey: key } = submission;
  const sealed = ports.vault.sealFor({ submission, wrappedKey: reading.wrappedKey, refId: randomUUID() });
  const context = { ...settled.context, commitments: sealed.commitments };
  const writing: Writing = {
    ...writingOf(decided, loaded, context),
    look: submission.look ?? null,
    vault: sealed.vault,
    marks: marksOfAdded(ports.vault, submission),
    newKey: sealed.newKey,
  };
  const main = writing.streams.find((stream) => stream.kind === 'promotion') ?? writing.streams[0];
  const refused = decided.outcome.kind === 'refused' ? decided.outcome.refusal : null;
  const answer = decided.outcome.kind === 'refused' ? { kind: 'done' as const } : decided.outcome;
  const revision = main?.revision ?? [...loaded.values()][0]?.head.revision ?? 0;
  const draft = { kind: 'accepted', answer, revision, replayed: false };
  // With a refusal the expiry is written under a key of its own; the caller's key answers the refusal.
  const writeKey = refused === null ? key : `${lapsePrefix}${key}`;
  const told = { drafts: decided.drafts, told: submission.webhook, vault: ports.vault };
  const [receipt] = await Promise.all([
    write(transaction, { workspace, now: context.now, writing, key: writeKey, commandHash, receipt: draft }),
    ...writeWebhooks(transaction, { workspace: uuidOf(workspace), ...told }),
    transaction.commit(),
  ]);
  return {
    receipt: receipt as Receipt,
    wakes: decided.wakes.length > 0 || writing.entries.length > 0,
    folded: foldedOf(writing, loaded),
    refused: refused === null ? null : { refusal: refused, ...who },
  };
}

/** The address that an administrator gave for somebody is one they may sign commits with. */
function marksOfAdded(vault: Vault, { workspace, command, personal }: Submission): Writing['marks'] {
  if (command.kind !== 'AddPerson' || personal?.email === undefined) return [];
  const { person } = command;
  return [{ person, mark: vault.markOf(workspace, personal.email) }];
}

function refusedBy(why: Refusal, who: Who): Outcome {
  return {
    receipt: { kind: 'refused', refusal: why, replayed: false },
    wakes: false,
    folded: nothing,
    refused: { refusal: why, ...who },
  };
}

const nothing: ReadonlyMap<string, Loaded> = new Map();

/** Every locked stream as it is after the commit. */
function foldedOf(writing: Writing, loaded: ReadonlyMap<string, Loaded>): ReadonlyMap<string, Loaded> {
  const written = writing.streams.map(({ kind, id, revision, head, state }): [string, Loaded] => [
    `${kind}/${id}`,
    { head: { revision, hash: head }, state },
  ]);
  return new Map([...loaded, ...written]);
}

/** The actor with whoever lent them their token; null when that token was revoked while they were on their way. */
function whoIs(actor: PersonState, token: Submission['token']): Bearer | null {
  if (token === undefined) return { actor, lentBy: null, token: null };
  const held = actor.tokens.find(({ id }) => id === token);
  return held === undefined ? null : { actor, lentBy: lenderOf(actor, held), token: held };
}

function unknownActor(id: PersonState['id']): PersonState {
  return { id, kind: 'service', disabled: true, bindings: [], tokens: [] };
}

/**
 * COMMIT may or may not have happened: the key, read on a new connection, tells when it has. When it is not there, the
 * server may still be at it, so nobody is told that nothing was recorded.
 */
async function outcomeOf(
  ports: SubmitPorts,
  submission: Submission,
  commandHash: Buffer,
  cause: unknown,
): Promise<Receipt> {
  try {
    const found = await ports.session.transaction(submission.workspace, (transaction) =>
      readAnswer(transaction, { workspace: submission.workspace, key: submission.idempotencyKey }),
    );
    const replay = replayOf(found, commandHash);
    // A conflict is for the next try to tell: it is recorded then.
    if (replay !== null && replay !== 'conflict') return replay;
  } catch {
    // The database is still away, so what came of it stays unknown.
  }
  throw new JournalFailure('outcome_unknown', 'the connection was lost: ask again with the same key', cause);
}

/**
 * What the key stands for: the whole request of this actor, so that a reused key with anything else is a conflict. Keyed,
 * since a bare hash of a name or of a short reason could be found by guessing, even when the vault has forgotten it.
 */
function hashOf(vault: Vault, submission: Submission): Buffer {
  const { actor, command, reason, personal, onRevision, webhook } = submission;
  const told = webhook === undefined ? {} : { webhook };
  const asked = { actor, command, reason: reason ?? null, personal: personal ?? null, ...told };
  return vault.fingerprint(canonicalize(onRevision === undefined ? asked : { ...asked, onRevision }) ?? '');
}
