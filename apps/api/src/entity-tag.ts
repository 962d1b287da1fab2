import type { ExpectedRevision } from '@proviso/journal';
import { Problem } from './problem.ts';

/** More tags than anyone has seen of one thing; a hostile header could hold thousands. */
const tagsMax = 20;

/** One tag of a list (RFC 9110, 8.8.3), with the commas behind it: a list may have empty elements. */
const listed = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:(?:,[ \t]*)+|$)/y;

/** The tag of a thing at a revision: strong, since what is shown is made of nothing but the stream's state. */
export function tagOf(revision: number): string {
  return `"${revision}"`;
}

/** The headers of an answer to a change that shows the thing as it is now; the address says which thing the tag is of. */
export function taggedAs(address: string, { revision }: { readonly revision: number }) {
  return { 'content-location': address, etag: tagOf(revision) };
}

/**
 * The revisions that `If-Match` allows. Strong comparison: a weak tag, or one that we never gave, matches nothing and so
 * ends as 412, while what is no list of tags at all is 400. Without the header a write is unconditional, also one that
 * replaces: each names its whole new value, the one before stays in the journal, and open promotions keep the policy
 * they pinned. Policies come from a repository, where two authors meet in a review before they meet here.
 */
export function expectedRevisionIn(header: string | undefined): ExpectedRevision | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return 'any';
  const revisions: number[] = [];
  listed.lastIndex = /^[ \t,]*/.exec(header)?.[0].length ?? 0;
  for (let count = 0; listed.lastIndex < header.length || count === 0; count += 1) {
    const tag = listed.exec(header);
    if (tag === null || count === tagsMax) throw malformed();
    const [, weak, opaque = ''] = tag;
    if (weak === undefined && /^[1-9]\d{0,9}$/.test(opaque)) revisions.push(Number(opaque));
  }
  return revisions;
}

function malformed(): Problem {
  const message = `expected * or at most ${tagsMax} entity tags such as "3"`;
  return new Problem('malformed_request', message, {
    errors: [{ pointer: '/headers/if-match', code: 'malformed_request', message }],
  });
}
