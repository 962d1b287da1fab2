import type { PersonId } from '@proviso/domain';

/** Names of people by id, out of the vault; an erased person has none. */
export type Names = Readonly<Record<string, string>>;

/** A person as shown beside what they did. */
export function personRef(id: PersonId, names: Names): { id: PersonId; name: string | null } {
  return { id, name: names[id] ?? null };
}

/** RFC 3339 in UTC. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
