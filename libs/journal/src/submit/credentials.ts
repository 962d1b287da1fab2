import type { Draft, Identity, IdentityHolder, PersonEvent, TokenRecord, WorkspaceId } from '@proviso/domain';
import type { Transaction } from '../session.ts';
import { type Statement, statement } from '../statement.ts';
import type { Loaded } from './load.ts';

const readHolder = statement(
  'submit.holder',
  `select replace(workspace::text, '-', '') as workspace, person from proviso.principal_of_identity($1, $2)`,
);

// Two who link the same account at once: the second breaks the key's uniqueness, decides again and is refused.
const linkIdentity = statement(
  'submit.link',
  `insert into proviso.identity (workspace, issuer, subject, person) values ($1, $2, $3, $4)`,
);

const unlinkIdentity = statement(
  'submit.unlink',
  `delete from proviso.identity where workspace = $1 and issuer = $2 and subject = $3 and person = $4`,
);

const endSessions = statement(
  'submit.end_sessions',
  `delete from proviso.session where workspace = $1 and person = $2`,
);

const writeToken = statement(
  'submit.token',
  `insert into proviso.token (hash, workspace, person, expires_at) values ($2, $1, $3, to_timestamp($4::bigint / 1000.0))`,
);

const revokeTokens = statement(
  'submit.revoke',
  `delete from proviso.token where workspace = $1 and hash = any($2::text[])`,
);

/** Whom an account belongs to; of another workspace nothing but that it is somebody's. */
export async function holderOf(
  transaction: Transaction,
  workspace: WorkspaceId,
  { issuer, subject }: Identity,
): Promise<IdentityHolder | null> {
  const [row] = await transaction.run(readHolder, [issuer, subject]);
  if (row === undefined) return null;
  return `wsp_${String(row.workspace)}` === workspace ? (row.person as `psn_${string}`) : 'elsewhere';
}

/** What a submission changes about what lets people in: accounts, sessions and tokens. */
export interface Credentials {
  readonly linked: readonly { readonly person: string; readonly identity: Identity }[];
  readonly unlinked: Credentials['linked'];
  /** People who are signed out of all their browsers. */
  readonly signedOut: readonly string[];
  readonly issued: readonly { readonly person: string; readonly token: TokenRecord }[];
  /** Hashes of tokens that are unknown from now on. */
  readonly revoked: readonly string[];
}

/** What most submissions change. */
export const noCredentials: Credentials = { linked: [], unlinked: [], signedOut: [], issued: [], revoked: [] };

/** What these drafts change; of a token that goes the person's state knows the hash. */
export function credentialsIn(drafts: readonly Draft[], loaded: ReadonlyMap<string, Loaded>): Credentials {
  const told = drafts.flatMap((draft) => (draft.stream === 'person' ? [{ person: draft.id, event: draft.event }] : []));
  if (told.length === 0) return noCredentials;
  const linked = told.flatMap(({ person, event }) =>
    event.kind === 'identity_linked' ? [{ person, identity: event.identity }] : [],
  );
  const unlinked = told.flatMap(({ person, event }) =>
    event.kind === 'identity_unlinked' ? [{ person, identity: event.identity }] : [],
  );
  const issued = told.flatMap(({ person, event }) =>
    event.kind === 'token_issued' ? [{ person, token: event.token }] : [],
  );
  const signedOut = told.flatMap(({ person, event }) => (signsOut.has(event.kind) ? [person] : []));
  const revoked = told.flatMap(({ person, event }) => revokedBy(event, tokensOf(loaded, person)));
  return { linked, unlinked, issued, revoked, signedOut: [...new Set(signedOut)] };
}

/** Which account a browser was signed in by is not kept, so with one of them all sign in again. */
const signsOut: ReadonlySet<PersonEvent['kind']> = new Set([
  'identity_unlinked',
  'sessions_ended',
  'person_disabled',
  'person_erased',
]);

function tokensOf(loaded: ReadonlyMap<string, Loaded>, person: string): readonly TokenRecord[] {
  const state = loaded.get(`person/${person}`)?.state;
  return state != null && 'tokens' in state ? state.tokens : [];
}

function revokedBy(event: PersonEvent, tokens: readonly TokenRecord[]): readonly string[] {
  const isOver = event.kind === 'person_disabled' || event.kind === 'person_erased';
  const gone = tokens.filter(({ id }) => isOver || (event.kind === 'token_revoked' && event.token === id));
  return gone.map(({ hash }) => hash);
}

/** Starts the writes; most submissions have none. */
export function writeCredentials(
  transaction: Transaction,
  workspace: string,
  { linked, unlinked, signedOut, issued, revoked }: Credentials,
): readonly Promise<unknown>[] {
  const each = (what: Statement, { person, identity }: Credentials['linked'][number]) =>
    transaction.run(what, [workspace, identity.issuer, identity.subject, person]);
  return [
    ...linked.map((one) => each(linkIdentity, one)),
    ...unlinked.map((one) => each(unlinkIdentity, one)),
    ...signedOut.map((person) => transaction.run(endSessions, [workspace, person])),
    ...issued.map(({ token, person }) => transaction.run(writeToken, [workspace, token.hash, person, token.expiresAt])),
    ...(revoked.length > 0 ? [transaction.run(revokeTokens, [workspace, revoked])] : []),
  ];
}
