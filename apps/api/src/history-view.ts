import { type PersonId, isId } from '@proviso/domain';
import type { EntryView } from '@proviso/journal';
import { type Names, personRef } from './person-ref.ts';

/** Everyone who wrote one of these entries. */
export function peopleOfEntries(entries: readonly EntryView[]): readonly PersonId[] {
  const people = entries.flatMap((entry) => actorOf(parsedEntry(entry)) ?? []);
  return [...new Set(people)];
}

/** An entry as shown: what was hashed, read as JSON, with the words and names that the vault adds. */
export function entryView(entry: EntryView, more: { readonly names: Names; readonly reason: string | null }) {
  const told = parsedEntry(entry);
  const actor = actorOf(told);
  return {
    id: entry.id,
    position: entry.position,
    stream: entry.stream,
    streamId: entry.streamId,
    sequence: entry.sseq,
    kind: entry.kind,
    at: entry.at,
    hash: entry.hash,
    // What was hashed, so that anyone can verify the chain without trusting this view of it.
    bytes: entry.bytes,
    by: actor === null ? null : personRef(actor, more.names),
    reason: more.reason,
    body: told['body'] ?? null,
  };
}

/** The bytes are our own canonical JSON; they are parsed only to be shown. */
function parsedEntry(entry: EntryView): Readonly<Record<string, unknown>> {
  const told: unknown = JSON.parse(entry.bytes);
  return typeof told === 'object' && told !== null ? (told as Record<string, unknown>) : {};
}

function actorOf(told: Readonly<Record<string, unknown>>): PersonId | null {
  const { actor } = told;
  if (typeof actor !== 'object' || actor === null || !('pid' in actor)) return null;
  return typeof actor.pid === 'string' && isId('psn', actor.pid) ? actor.pid : null;
}
