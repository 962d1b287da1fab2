import { type PersonId, isId } from '@proviso/domain';
import type { EntryView } from '@proviso/journal';
import { type Names, personRef } from './person-ref.ts';

/** Everyone who wrote one of these entries, and those for whom they acted. */
export function peopleOfEntries(entries: readonly EntryView[]): readonly PersonId[] {
  const people = entries.flatMap((entry) => {
    const told = parsedEntry(entry);
    return [actorOf(told, 'pid') ?? [], actorOf(told, 'actsFor') ?? []].flat();
  });
  return [...new Set(people)];
}

/** An entry as shown: what was hashed, read as JSON, with the words and names that the vault adds. */
export function entryView(entry: EntryView, more: { readonly names: Names; readonly reason: string | null }) {
  const told = parsedEntry(entry);
  const [actor, human] = [actorOf(told, 'pid'), actorOf(told, 'actsFor')];
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
    actsFor: human === null ? null : personRef(human, more.names),
    authn: authnOf(told),
    reason: more.reason,
    body: told['body'] ?? null,
  };
}

/** The bytes are our own canonical JSON; they are parsed only to be shown. */
function parsedEntry(entry: EntryView): Readonly<Record<string, unknown>> {
  const told: unknown = JSON.parse(entry.bytes);
  return typeof told === 'object' && told !== null ? (told as Record<string, unknown>) : {};
}

/** Who did it, or the human for whom a machine did. */
function actorOf({ actor }: Readonly<Record<string, unknown>>, as: 'pid' | 'actsFor'): PersonId | null {
  const id = typeof actor === 'object' && actor !== null ? Reflect.get(actor, as) : null;
  return typeof id === 'string' && isId('psn', id) ? id : null;
}

/** How they proved who they are, and through which door. */
function authnOf({ actor }: Readonly<Record<string, unknown>>): string | null {
  const authn: unknown = typeof actor === 'object' && actor !== null ? Reflect.get(actor, 'authn') : null;
  return typeof authn === 'string' ? authn : null;
}
