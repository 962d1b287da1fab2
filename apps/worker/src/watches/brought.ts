import type { Digest } from '@proviso/domain';
import { readJournal } from '../clerk.ts';
import type { Sight } from '../errand.ts';

/** Documents of one kind that were brought for a version: those that its promotion knew, and those since. */
export interface Brought {
  readonly before: readonly Digest[];
  readonly since: readonly Digest[];
}

/** Reads their digests, oldest first. */
export async function broughtFor({ ports, subject, state }: Sight, kind: string): Promise<Brought> {
  const prototype = await readJournal(ports, subject, async (reads) => await reads.prototype(state.prototype));
  const current = prototype?.state.candidates.find(({ id }) => id === state.candidate.id);
  const digests = (all: typeof state.candidate.evidence): readonly Digest[] =>
    (all ?? []).filter((one) => one.kind === kind).map(({ digest }) => digest);
  const before = digests(state.candidate.evidence);
  return { before, since: digests(current?.evidence).filter((digest) => !before.includes(digest)) };
}
