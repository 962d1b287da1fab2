import type { PersonId, PersonState } from '@proviso/domain';
import type { Reads } from '@proviso/journal';

/** Names of people by id, out of the vault; an erased person has none. */
export type Names = Readonly<Record<string, string>>;

/** A person as shown beside what they did. */
export function personRef(id: PersonId, names: Names): { id: PersonId; name: string | null } {
  return { id, name: names[id] ?? null };
}

/** People by id, with their rights of today; nobody is left out. */
export async function peopleBehind(
  reads: Reads,
  ids: readonly (PersonId | null | undefined)[],
): Promise<Readonly<Record<string, PersonState>>> {
  const known = [...new Set(ids.flatMap((id) => id ?? []))];
  const found = await Promise.all(known.map((id) => reads.person(id)));
  return Object.fromEntries(found.flatMap((one) => (one === null ? [] : [[one.id, one]])));
}

/** RFC 3339 in UTC. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
