import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { type Digest, type PersonId, uuidOf, type WorkspaceId } from '@proviso/domain';
import { JournalFailure } from '../failure.ts';
import type { Submission } from '../port.ts';
import type { Row, Session } from '../session.ts';
import { statement } from '../statement.ts';
import { commit, seal, unseal } from './seal.ts';

const readVault = statement(
  'vault.read',
  `select v.id, v.person, v.sealed, k.wrapped from proviso.vault v join proviso.vault_key k on k.workspace = v.workspace and k.person = v.person
    where v.workspace = $1 and v.id = any($2::text[])`,
);

const readAll = statement(
  'vault.read_all',
  `select v.id, v.sealed, k.wrapped from proviso.vault v join proviso.vault_key k on k.workspace = v.workspace and k.person = v.person
    where v.workspace = $1 and v.person = $2 order by v.id limit $3`,
);

/** What a submission puts into the vault, and the commitments its entries carry instead. */
export interface Sealed {
  readonly commitments: Readonly<Record<string, string>>;
  readonly vault: { readonly id: string; readonly person: string; readonly sealed: Buffer } | null;
  readonly newKey: { readonly person: string; readonly wrapped: Buffer } | null;
}

/** Personal data and free text, encrypted under a key per person that the deployment's key wraps. */
export interface Vault {
  /** Tells the same request from another without telling what was in it. */
  readonly fingerprint: (text: string) => Buffer;
  /** A keyed digest of the address that a commit names a person by. */
  readonly markOf: (workspace: WorkspaceId, address: string) => Digest;
  /** Something that only this key opens. */
  readonly marker: () => Buffer;
  /** Seals a text of the deployment's own, bound to what it is: no person's key is in it, and none is erased with it. */
  readonly sealText: (what: string, text: string) => Buffer;
  /** Throws `vault_unreadable` for what is something else. */
  readonly openText: (what: string, sealed: Buffer) => string;
  /** Throws `vault_unreadable` for what another key sealed. */
  readonly expectOurs: (sealed: Buffer) => void;
  readonly sealFor: (request: { submission: Submission; wrappedKey: Buffer | null; refId: string }) => Sealed;
  readonly open: (
    session: Session,
    workspace: WorkspaceId,
    ids: readonly string[],
  ) => Promise<Readonly<Record<string, string>>>;
  /** Everything that is sealed under one person's key, by its id; at most so many. */
  readonly openAll: (
    session: Session,
    of: { readonly workspace: WorkspaceId; readonly person: PersonId; readonly limit: number },
  ) => Promise<Readonly<Record<string, string>>>;
}

/** Makes the vault from the deployment's key. */
export function vaultOf(vaultKeyHex: string): Vault {
  if (!/^[0-9a-f]{64}$/.test(vaultKeyHex))
    throw new JournalFailure('vault_unreadable', 'expected a vault key of 64 hexadecimal digits');
  const master = Buffer.from(vaultKeyHex, 'hex');
  // Made once: making it of bytes for each request took longer than the hash itself.
  const fingerprintKey = createSecretKey(master);
  return {
    fingerprint: (text) => createHmac('sha256', fingerprintKey).update('request ').update(text).digest(),
    markOf: (workspace, address) => {
      const told = JSON.stringify(['author', workspace, address.toLowerCase()]);
      return `sha256:${createHmac('sha256', fingerprintKey).update(told).digest('hex')}`;
    },
    marker: () => seal(master, Buffer.from('proviso vault')),
    sealText: (what, text) => seal(master, Buffer.from(JSON.stringify({ what, text }))),
    openText: (what, sealed) => openedText(unseal(master, sealed), what),
    expectOurs: (sealed) => void unseal(master, sealed),
    sealFor: ({ submission, wrappedKey, refId }) => sealFor(master, submission, wrappedKey, refId),
    open: async (session, workspace, ids) => {
      const rows = await session.transaction(workspace, (transaction) =>
        transaction.run(readVault, [uuidOf(workspace), ids]),
      );
      return openedRows(master, rows);
    },
    openAll: async (session, { workspace, person, limit }) => {
      const rows = await session.transaction(workspace, (transaction) =>
        transaction.run(readAll, [uuidOf(workspace), person, limit]),
      );
      return openedRows(master, rows);
    },
  };
}

function openedRows(master: Buffer, rows: readonly Row[]): Readonly<Record<string, string>> {
  const texts = rows.map(
    (row) => [String(row.id), opened(unseal(master, row.wrapped as Buffer), row.sealed as Buffer)] as const,
  );
  return Object.fromEntries(texts);
}

/** Where a person's name lies. */
export function nameRef(person: PersonId): string {
  return `name/${person}`;
}

function sealFor(master: Buffer, submission: Submission, wrappedKey: Buffer | null, refId: string): Sealed {
  const { command, personal, reason, actor } = submission;
  const person = addedBy(command);
  if (person !== null && personal !== undefined) {
    const key = randomBytes(32);
    const { sealedText, commitment } = commit(JSON.stringify(personal));
    return {
      commitments: { personal: commitment },
      vault: { id: nameRef(person), person, sealed: seal(key, sealedText) },
      newKey: { person, wrapped: seal(master, key) },
    };
  }
  if (reason === undefined) return { commitments: {}, vault: null, newKey: null };
  const key = wrappedKey === null ? randomBytes(32) : unseal(master, wrappedKey);
  const { sealedText, commitment } = commit(reason);
  return {
    commitments: { reason: commitment, reasonRef: refId },
    vault: { id: refId, person: actor, sealed: seal(key, sealedText) },
    newKey: wrappedKey === null ? { person: actor, wrapped: seal(master, key) } : null,
  };
}

/** Whom a command brings into being, with a name of their own. */
function addedBy(command: Submission['command']): PersonId | null {
  if (command.kind === 'AddPerson') return command.person;
  return command.kind === 'TrustWorkload' ? command.rule.service : null;
}

function openedText(plain: Buffer, expected: string): string {
  const { what, text } = JSON.parse(plain.toString()) as { what: string; text: string };
  if (what !== expected)
    throw new JournalFailure('vault_unreadable', 'expected what was sealed for this row, got something else');
  return text;
}

function opened(key: Buffer, sealed: Buffer): string {
  const { text } = JSON.parse(unseal(key, sealed).toString()) as { text: string };
  return text;
}
