import { hash } from 'node:crypto';
import {
  type Binding,
  type Draft,
  type PersonId,
  type PersonState,
  type WorkspaceId,
  invariant,
} from '@proviso/domain';
import canonicalize from 'canonicalize';

/** Largest entry: evidence is named by digest, so a larger one carries what does not belong here. */
export const entryBytesMax = 65_535;

/** What was to be recorded fits no entry. A stranger can cause it, so it becomes a refusal. */
export class EntryTooLarge extends Error {
  override readonly name = 'EntryTooLarge';
}

/** An entry ready to be written. */
export interface Entry {
  readonly stream: string;
  readonly streamId: string;
  readonly sseq: number;
  readonly kind: string;
  readonly bytes: Buffer;
  readonly hash: Buffer;
}

/** What all entries of one submission have in common. */
export interface EntryContext {
  readonly origin: string;
  readonly workspace: WorkspaceId;
  readonly now: number;
  readonly actor: PersonState;
  readonly authn: string;
  /** Who lent the actor their token: whatever is recorded names them beside the actor. */
  readonly lentBy: PersonId | null;
  readonly idempotencyKey: string;
  /** Commitments to free text that lies in the vault. */
  readonly commitments: Readonly<Record<string, string>>;
}

/** The stream's last entry: its number and hash. */
export interface Head {
  readonly revision: number;
  readonly hash: Buffer;
}

/** Before the first entry of a stream. */
export const noHead: Head = { revision: 0, hash: Buffer.alloc(32) };

/** What an entry says, from a drafted event or from what is recorded without a fold. */
export interface Told {
  readonly stream: string;
  readonly streamId: string;
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An event as told: its kind is the entry's. */
export function toldBy(draft: Draft): Told {
  const { kind, ...body } = draft.event;
  return { stream: draft.stream, streamId: draft.id, kind, body };
}

/** RFC 8785 canonical bytes, numbered and chained behind the stream's head. Hashed as bytes, never as a database value. */
export function entryOf(told: Told, head: Head, context: EntryContext): Entry {
  const sseq = head.revision + 1;
  const text = canonicalize({
    v: 1,
    kind: told.kind,
    log: context.origin,
    workspace: context.workspace,
    stream: `${told.stream}/${told.streamId}`,
    sseq,
    sprev: head.hash.toString('hex'),
    ts: new Date(context.now).toISOString(),
    idem: hash('sha256', context.idempotencyKey),
    subject: [told.streamId],
    actor: {
      pid: context.actor.id,
      kind: context.actor.kind,
      ...(context.actor.actsFor === undefined ? {} : { actsFor: context.actor.actsFor }),
      rolesAt: context.actor.bindings.map(roleText),
      authn: context.authn,
      ...(context.lentBy === null ? {} : { lentBy: context.lentBy }),
    },
    body: told.body,
    commitments: context.commitments,
  });
  invariant(text !== undefined, 'an entry has a canonical form');
  const bytes = Buffer.from(text);
  if (bytes.length > entryBytesMax)
    throw new EntryTooLarge(`expected an entry of at most ${entryBytesMax} bytes, got ${bytes.length}`);
  return {
    stream: told.stream,
    streamId: told.streamId,
    sseq,
    kind: told.kind,
    bytes,
    hash: hash('sha256', bytes, 'buffer'),
  };
}

function roleText(binding: Binding): string {
  if (binding.from !== undefined) return `delegate/${binding.from}`;
  return [binding.role, binding.group].filter((part) => part !== undefined).join('/');
}
