import type { Digest, WorkspaceId } from '@proviso/domain';
import type { CommitPerson, Frozen } from '@proviso/intake';
import type { Journal, NamedAuthor } from '@proviso/journal';

/** GitHub's own hand when something is merged on its pages: nobody's work, and nobody to exclude. */
const webHand = 'noreply@github.com';

/**
 * Whom a frozen commit names, each by the marks that they could be known by here. Names and addresses are claims of
 * strangers and personal data, so they go no further than this.
 */
export function claimsIn(
  journal: Pick<Journal, 'authorMarks'>,
  workspace: WorkspaceId,
  { provenance }: Pick<Frozen, 'provenance'>,
): readonly (readonly Digest[])[] {
  if (!('author' in provenance)) return [];
  const { author, committer, coAuthors } = provenance;
  const people = [author, committer, ...coAuthors].filter(({ email }) => email !== webHand);
  const marks = people.map((person) => journal.authorMarks(workspace, namedBy(person)));
  const known = new Map(marks.filter((one) => one.length > 0).map((one) => [one.join(' '), one]));
  return [...known.values()];
}

function namedBy({ email, id }: CommitPerson): NamedAuthor {
  return { ...(email === '' ? {} : { email }), ...(id === undefined ? {} : { accountId: id }) };
}
