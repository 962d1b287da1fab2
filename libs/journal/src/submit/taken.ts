import type { Draft } from '@proviso/domain';
import type { Transaction } from '../session.ts';
import { statement } from '../statement.ts';

/** What a submission takes of its workspace's limits, or gives back. */
export interface Taken {
  /** A place to run in came free: the oldest promotion that waits for one looks again. */
  readonly freed: boolean;
  /** Files of versions that are kept from now on, and those that are let go. */
  readonly frozen: readonly { readonly prototype: string; readonly digest: string; readonly bytes: number }[];
  readonly removed: readonly { readonly prototype: string; readonly digest: string }[];
}

/** What most submissions take. */
export const takenNothing: Taken = { freed: false, frozen: [], removed: [] };

const wakeWaiting = statement(
  'submit.wake_waiting',
  `insert into proviso.dirty as old (workspace, promotion, revision, marked_at)
   select $1, id, 1, $2 from proviso.promotion_status where workspace = $1 and open and place = 'waiting' order by ordinal limit 1
   on conflict (workspace, promotion) do update set revision = old.revision + 1`,
);

const writeArtifacts = statement(
  'submit.artifacts',
  `insert into proviso.artifact (workspace, prototype, digest, bytes, frozen_at)
   select $1, t.prototype, t.digest, t.bytes, $2 from unnest($3::text[], $4::text[], $5::bigint[]) as t(prototype, digest, bytes)
   on conflict (workspace, prototype, digest) do update set bytes = excluded.bytes, frozen_at = excluded.frozen_at, removed_at = null`,
);

const removeArtifacts = statement(
  'submit.remove_artifacts',
  `update proviso.artifact a set removed_at = $2 from unnest($3::text[], $4::text[]) as t(prototype, digest)
    where a.workspace = $1 and a.prototype = t.prototype and a.digest = t.digest`,
);

/** What these drafts take. */
export function takenBy(drafts: readonly Draft[], freed: boolean): Taken {
  return { freed, frozen: drafts.flatMap(frozenIn), removed: drafts.flatMap(removedIn) };
}

/** Starts the writes of what was taken; most submissions have none. */
export function writeTaken(
  transaction: Transaction,
  { workspace, now, taken }: { readonly workspace: string; readonly now: Date; readonly taken: Taken },
): readonly Promise<unknown>[] {
  const { freed, frozen, removed } = taken;
  const columns = frozen.map(({ prototype, digest, bytes }) => [prototype, digest, bytes] as const);
  const column = (index: 0 | 1 | 2) => columns.map((row) => row[index]);
  const gone = [removed.map((one) => one.prototype), removed.map((one) => one.digest)];
  return [
    ...(freed ? [transaction.run(wakeWaiting, [workspace, now])] : []),
    ...(frozen.length > 0 ? [transaction.run(writeArtifacts, [workspace, now, column(0), column(1), column(2)])] : []),
    ...(removed.length > 0 ? [transaction.run(removeArtifacts, [workspace, now, ...gone])] : []),
  ];
}

function frozenIn(draft: Draft): Taken['frozen'] {
  if (draft.stream !== 'prototype' || draft.event.kind !== 'candidate_frozen') return [];
  const { manifest, sizeBytes = 0 } = draft.event.candidate;
  return [{ prototype: draft.id, digest: manifest.artifact, bytes: sizeBytes }];
}

function removedIn(draft: Draft): Taken['removed'] {
  if (draft.stream !== 'prototype' || draft.event.kind !== 'artifact_removed') return [];
  return [{ prototype: draft.id, digest: draft.event.artifact }];
}
