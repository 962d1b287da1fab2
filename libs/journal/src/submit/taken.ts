import type { Draft } from '@proviso/domain';
import type { Transaction } from '../session.ts';
import { statement } from '../statement.ts';

/** What a submission takes of its workspace's limits, or gives back. */
export interface Taken {
  /** A place to run in came free: the oldest promotion that waits for one looks again. */
  readonly freed: boolean;
  /** An operator has set other limits: everybody who waits for one looks again. */
  readonly eased: boolean;
  /** Builds that begin; the same try asked for again is the same build. */
  readonly builds: readonly { readonly promotion: string; readonly attempt: number }[];
  /** Files that are kept from now on, frozen or built, and those that are let go. */
  readonly frozen: readonly { readonly prototype: string; readonly digest: string; readonly bytes: number }[];
  readonly removed: readonly { readonly prototype: string; readonly digest: string }[];
}

/** What most submissions take. */
export const takenNothing: Taken = { freed: false, eased: false, builds: [], frozen: [], removed: [] };

const wakeWaiting = statement(
  'submit.wake_waiting',
  `insert into proviso.dirty as old (workspace, promotion, revision, marked_at)
   select $1, id, 1, $2 from proviso.promotion_status where workspace = $1 and open and place = 'waiting' order by ordinal limit 1
   on conflict (workspace, promotion) do update set revision = old.revision + 1`,
);

const wakeLimited = statement(
  'submit.wake_limited',
  `insert into proviso.dirty as old (workspace, promotion, revision, marked_at)
   select $1, id, 1, $2 from proviso.promotion_status where workspace = $1 and open and place in ('waiting', 'postponed')
   on conflict (workspace, promotion) do update set revision = old.revision + 1`,
);

const writeBuilds = statement(
  'submit.builds',
  `insert into proviso.build (workspace, promotion, attempt, at)
   select $1, t.promotion, t.attempt, $2 from unnest($3::text[], $4::int[]) as t(promotion, attempt) on conflict do nothing`,
);

// What is built again is kept from now on; a build from before sizes were told does not make known ones unknown.
const writeArtifacts = statement(
  'submit.artifacts',
  `insert into proviso.artifact as a (workspace, prototype, digest, bytes, frozen_at)
   select $1, t.prototype, t.digest, t.bytes, $2 from unnest($3::text[], $4::text[], $5::bigint[]) as t(prototype, digest, bytes)
   on conflict (workspace, prototype, digest) do update set bytes = greatest(a.bytes, excluded.bytes), frozen_at = excluded.frozen_at, removed_at = null`,
);

const removeArtifacts = statement(
  'submit.remove_artifacts',
  `update proviso.artifact a set removed_at = $2 from unnest($3::text[], $4::text[]) as t(prototype, digest)
    where a.workspace = $1 and a.prototype = t.prototype and a.digest = t.digest`,
);

/** What these drafts take; of the promotions among them it must be told whose they are. */
export function takenBy(
  drafts: readonly Draft[],
  { freed, prototypes }: { readonly freed: boolean; readonly prototypes: ReadonlyMap<string, string> },
): Taken {
  const built = drafts.flatMap((draft) => builtIn(draft, prototypes));
  return {
    freed,
    eased: drafts.some(({ event }) => event.kind === 'limits_set'),
    builds: drafts.flatMap(buildIn),
    frozen: [...drafts.flatMap(frozenIn), ...built],
    removed: drafts.flatMap(removedIn),
  };
}

/** Starts the writes of what was taken; most submissions have none. */
export function writeTaken(
  transaction: Transaction,
  { workspace, now, taken }: { readonly workspace: string; readonly now: Date; readonly taken: Taken },
): readonly Promise<unknown>[] {
  const { freed, eased, builds, frozen, removed } = taken;
  const columns = frozen.map(({ prototype, digest, bytes }) => [prototype, digest, bytes] as const);
  const column = (index: 0 | 1 | 2) => columns.map((row) => row[index]);
  const gone = [removed.map((one) => one.prototype), removed.map((one) => one.digest)];
  return [
    ...(freed ? [transaction.run(wakeWaiting, [workspace, now])] : []),
    ...(eased ? [transaction.run(wakeLimited, [workspace, now])] : []),
    ...(builds.length > 0 ? [transaction.run(writeBuilds, [workspace, now, ...columnsOf(builds)])] : []),
    ...(frozen.length > 0 ? [transaction.run(writeArtifacts, [workspace, now, column(0), column(1), column(2)])] : []),
    ...(removed.length > 0 ? [transaction.run(removeArtifacts, [workspace, now, ...gone])] : []),
  ];
}

function frozenIn(draft: Draft): Taken['frozen'] {
  if (draft.stream !== 'prototype' || draft.event.kind !== 'candidate_frozen') return [];
  const { manifest, sizeBytes = 0 } = draft.event.candidate;
  return [{ prototype: draft.id, digest: manifest.artifact, bytes: sizeBytes }];
}

function builtIn(draft: Draft, prototypes: ReadonlyMap<string, string>): Taken['frozen'] {
  if (draft.stream !== 'promotion' || draft.event.kind !== 'artifact_built') return [];
  const { artifact: digest, bytes = 0 } = draft.event;
  const prototype = prototypes.get(draft.id);
  return prototype === undefined ? [] : [{ prototype, digest, bytes }];
}

function buildIn(draft: Draft): Taken['builds'] {
  if (draft.stream !== 'promotion' || draft.event.kind !== 'step_claimed' || draft.event.gate !== 'build') return [];
  return [{ promotion: draft.id, attempt: draft.event.attempt }];
}

function columnsOf(builds: Taken['builds']): readonly [readonly string[], readonly number[]] {
  return [builds.map(({ promotion }) => promotion), builds.map(({ attempt }) => attempt)];
}

function removedIn(draft: Draft): Taken['removed'] {
  if (draft.stream !== 'prototype' || draft.event.kind !== 'artifact_removed') return [];
  return [{ prototype: draft.id, digest: draft.event.artifact }];
}
