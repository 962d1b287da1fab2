import type { Digest } from '@proviso/evidence';

/**
 * A person as a commit names them. The name and address are claims of whoever made the commit; only GitHub's `login` and
 * `id` were verified by somebody. Personal data: whoever stores it puts it into the vault, never into the ledger.
 */
export type CommitPerson = {
  readonly name: string;
  readonly email: string;
  readonly login?: string;
  readonly id?: number;
};

/** Who had a hand in a commit. All of them are excluded from deciding on the candidate made from it. */
export type CommitPeople = {
  readonly author: CommitPerson;
  readonly committer: CommitPerson;
  readonly coAuthors: readonly CommitPerson[];
};

/** Where frozen content came from. It is recorded beside the digest and is no part of it. */
export type Provenance =
  | { readonly kind: 'folder' }
  | {
      readonly kind: 'archive';
      readonly format: 'zip' | 'tar' | 'tar.gz';
      readonly archiveDigest: Digest;
      readonly filename?: string;
    }
  | ({ readonly kind: 'git'; readonly commit: string } & CommitPeople)
  | ({
      readonly kind: 'github';
      readonly owner: string;
      readonly repository: string;
      readonly commit: string;
      /** Numbers of the accounts that have pushed it, as GitHub has seen them; none where it does not tell. */
      readonly pushers: readonly number[];
    } & CommitPeople);

/** A commit message may carry any number of trailers; nobody pairs with more people than this. */
const CO_AUTHORS_MAX = 50;

/** A name or address is cut here, because a commit header has no bound of its own. */
const PERSON_LENGTH_MAX = 200;

/** The people named by `Co-authored-by:` lines, wherever they stand: a trailer in the wrong place excludes no less. */
export function coAuthorsOf(message: string): CommitPerson[] {
  const lines = message.matchAll(/^[ \t]*co-authored-by:[ \t]*([^<>\n]{0,400})<([^<>\n]{1,400})>/gim);
  const people = new Map<string, CommitPerson>();
  for (const line of lines) {
    const person = commitPerson(line[1] ?? '', line[2] ?? '');
    if (people.size < CO_AUTHORS_MAX) people.set(person.email.toLowerCase(), person);
  }
  return [...people.values()];
}

/** A person of a commit; GitHub's private addresses carry the login and, since 2017, the account's id. */
export function commitPerson(name: string, email: string): CommitPerson {
  const person = { name: name.trim().slice(0, PERSON_LENGTH_MAX), email: email.trim().slice(0, PERSON_LENGTH_MAX) };
  const account = /^(?:(\d{1,15})\+)?([A-Za-z0-9-]{1,39}(?:\[bot\])?)@users\.noreply\.github\.com$/i.exec(person.email);
  if (!account?.[2]) return person;
  return { ...person, login: account[2], ...(account[1] === undefined ? {} : { id: Number(account[1]) }) };
}

/** Reads the people of a raw commit object, as `git cat-file commit` prints it. */
export function peopleOfCommit(raw: string): CommitPeople {
  const end = raw.indexOf('\n\n');
  const header = end < 0 ? raw : raw.slice(0, end);
  return {
    author: headerPerson(header, 'author'),
    committer: headerPerson(header, 'committer'),
    coAuthors: end < 0 ? [] : coAuthorsOf(raw.slice(end + 2)),
  };
}

function headerPerson(header: string, role: 'author' | 'committer'): CommitPerson {
  const line = header.split('\n').find((candidate) => candidate.startsWith(`${role} `));
  const told = /^\w+ (.*?) ?<([^<>]*)>/.exec(line ?? '');
  return commitPerson(told?.[1] ?? '', told?.[2] ?? '');
}
