import type { WorkspaceId } from '@proviso/domain';
import { cdeventData, cdeventType, cdeventTypes } from './cdevent.ts';
import { type ToldAbout, type ToldEntry, ownTypes, toldFields, toldType } from './told-entry.ts';

/** One event in the form of CloudEvents 1.0, as its JSON is sent. */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** The same at each try and each time it is sent again; of the entry itself, so that it means one thing for ever. */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** What it is about: a promotion, a lane, a prototype or a policy. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Readonly<Record<string, unknown>>;
}

/** Every type of event that there is: our own, and those of CDEvents. */
export const eventTypes: readonly string[] = [...ownTypes, ...cdeventTypes];

/** The first of these that no event has; null when each is some type, or stands for some. */
export function unknownType(types: readonly string[]): string | null {
  return types.find((wanted) => !eventTypes.some((type) => isWanted([wanted], type))) ?? null;
}

/** Under which types of those that are wanted an entry is told. Most are wanted under one, and most entries under none. */
export function typesOf(entry: ToldEntry, wanted: readonly string[]): readonly string[] {
  const types = [toldType(entry.kind), cdeventType(entry)];
  return types.filter((type) => type !== null).filter((type) => isWanted(wanted, type));
}

/** The event of one type that tells an entry. */
export function cloudEventOf(
  entry: ToldEntry,
  { type, workspace, about }: { readonly type: string; readonly workspace: WorkspaceId; readonly about: ToldAbout },
): CloudEvent {
  const { stream, streamId, sseq: sequence, kind, at: time, hash } = entry;
  const own = { stream, streamId, sequence, kind, ...about, ...toldFields(entry) };
  const isOwn = type === toldType(kind);
  const id = `evt_${hash.slice(0, 32)}${isOwn ? '' : '_cd'}`;
  const source = `urn:proviso:${workspace}`;
  const context = { specversion: '1.0', id, source, type, time, datacontenttype: 'application/json' } as const;
  if (isOwn) return { ...context, subject: streamId, data: own };
  const data = cdeventData(entry, { id, source, type, about, own });
  return { ...context, subject: data.subject.id, data };
}

function isWanted(wanted: readonly string[], type: string): boolean {
  return wanted.some((one) => one === type || (one.endsWith('.*') && type.startsWith(one.slice(0, -1))));
}
