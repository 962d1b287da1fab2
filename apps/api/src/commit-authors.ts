import type { Digest, WorkspaceId } from '@proviso/domain';
import type { CommitPerson, Frozen } from '@proviso/intake';
import { identityOf } from './identity.ts';
import type { Parts } from './parts.ts';

/** GitHub's own hand when something is merged on its pages: nobody's work, and nobody to exclude. */
const webHand = 'noreply@github.com';

/**
 * Whom a frozen commit names, each by the marks that they could be known by here. Names and addresses are claims of
 * strangers and personal data, so they go no further than this.
 */
export function claimsIn(
  parts: Pick<Parts, 'journal' | 'config'>,
  workspace: WorkspaceId,
  { provenance }: Pick<Frozen, 'provenance'>,
): readonly (readonly Digest[])[] {
  if (!('author' in provenance)) return [];
  const { author, committer, coAuthors } = provenance;
  const people = [author, committer, ...coAuthors].filter(({ email }) => email !== webHand);
  const marks = people.map((person) => marksOf(parts, workspace, person));
  const known = new Map(marks.filter((one) => one.length > 0).map((one) => [one.join(' '), one]));
  return [...known.values()];
}

/** The accounts that have pushed a frozen commit, by the marks of people who have linked theirs. */
export function pushersIn(
  { config }: Pick<Parts, 'config'>,
  { provenance }: Pick<Frozen, 'provenance'>,
): readonly Digest[] {
  if (!('pushers' in provenance)) return [];
  return provenance.pushers.map((id) => accountMark(id, config));
}

/** The mark of an account at GitHub, by its number. */
export function accountMark(id: number | string, config: Parts['config']): Digest {
  return identityOf({ issuer: 'github', subject: String(id) }, config).subject;
}

/** The address is a claim; the account's number GitHub has verified, and people link their accounts by it. */
function marksOf(
  { journal, config }: Pick<Parts, 'journal' | 'config'>,
  workspace: WorkspaceId,
  { email, id }: CommitPerson,
): readonly Digest[] {
  return [
    ...(email === '' ? [] : [journal.authorMark(workspace, email)]),
    ...(id === undefined ? [] : [accountMark(id, config)]),
  ];
}
