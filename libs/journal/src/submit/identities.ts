import type { Draft, Identity, IdentityHolder, WorkspaceId } from '@proviso/domain';
import type { Transaction } from '../session.ts';
import { statement } from '../statement.ts';

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

/** Starts the writes about accounts and sessions; most submissions have none. */
export function writeIdentities(
  transaction: Transaction,
  workspace: string,
  drafts: readonly Draft[],
): readonly Promise<unknown>[] {
  return drafts.flatMap((draft) => {
    if (draft.stream !== 'person') return [];
    const { id: person, event } = draft;
    switch (event.kind) {
      case 'identity_linked':
        return [transaction.run(linkIdentity, [workspace, event.identity.issuer, event.identity.subject, person])];
      case 'identity_unlinked':
        return [
          transaction.run(unlinkIdentity, [workspace, event.identity.issuer, event.identity.subject, person]),
          // Which account a browser was signed in by is not kept, so all of them sign in again.
          transaction.run(endSessions, [workspace, person]),
        ];
      case 'sessions_ended':
      case 'person_disabled':
      case 'person_erased':
        return [transaction.run(endSessions, [workspace, person])];
      default:
        return [];
    }
  });
}
