import { createHash } from 'node:crypto';
import { authority } from '@proviso/authority';
import {
  builtinOf,
  type Command,
  type Digest,
  type LaneState,
  type PersonId,
  type PersonState,
  type PolicyState,
  type PromotionState,
  type PrototypeState,
  reachOf,
  type Scene,
  type StreamState,
  uuidOf,
  type WorkspaceId,
  type WorkspaceState,
} from '@proviso/domain';
import type { Row, Transaction } from '../session.ts';
import { statement } from '../statement.ts';
import { type Head, noHead } from './entry.ts';
import type { LockPlan } from './lock.ts';

/** A locked or kept stream: its head and its state. */
export interface Loaded {
  readonly head: Head;
  readonly state: StreamState | null;
}

/** Everything the second statement reads, on a snapshot taken after the locks were granted. */
export interface Reading {
  readonly now: number;
  readonly people: Readonly<Record<string, PersonState>>;
  readonly kept: readonly Row[];
  readonly replay: { readonly commandHash: Buffer; readonly receipt: unknown } | null;
  readonly wrappedKey: Buffer | null;
}

// People are kept with FOR SHARE: a role that is revoked meanwhile waits for us, or we see it revoked.
const readBeside = statement(
  'submit.read',
  `
with named as materialized (
  select unnest($2::text[]) as id
  union
  select jsonb_array_elements_text(jsonb_path_query_array(state, '$.gates[*].decisions[*].person')) from proviso.stream
   where workspace = $1 and kind = 'promotion' and id = any($3::text[]) and $4
  union
  select jsonb_array_elements_text(
           jsonb_path_query_array(state, '$.candidates[*].provenance.uploader') || jsonb_path_query_array(state, '$.candidates[*].provenance.authors[*]'))
    from proviso.stream where workspace = $1 and kind = 'prototype' and id = any($5::text[]) and $4
), people as materialized (
  select kind, id, state from proviso.stream
   where workspace = $1 and kind = 'person' and id = any((select array_agg(id) from named)::text[]) order by id for share
), policies as materialized (
  select kind, id, state from proviso.stream where workspace = $1 and kind = 'policy' and id = any($6::text[]) order by id for share
), rows as (
  select * from people union all select * from policies
)
select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms,
       (select jsonb_agg(jsonb_build_object('kind', kind, 'id', id, 'state', state)) from rows) as beside,
       i.command_hash, i.receipt,
       (select wrapped from proviso.vault_key where workspace = $1 and person = $8) as wrapped_key
  from (values (1)) as one left join proviso.idempotency i on i.workspace = $1 and i.key = $7`,
);

/** Reads what stands beside the locked rows. */
export async function readFor(
  transaction: Transaction,
  request: { workspace: WorkspaceId; actor: PersonId; plan: LockPlan; people: boolean; key: string },
): Promise<Reading> {
  const { workspace, actor, plan, people, key } = request;
  const prototypes = plan.others.filter((one) => one.kind === 'prototype').map((one) => one.id);
  const values = [uuidOf(workspace), [actor], plan.promotions, people, prototypes, plan.kept, key, actor];
  const [row] = await transaction.run(readBeside, values);
  const beside = (row?.beside ?? []) as readonly Row[];
  const found = beside.filter((one) => one.kind === 'person').map((one) => [one.id, one.state] as const);
  const commandHash = row?.command_hash as Buffer | null | undefined;
  return {
    now: Number(row?.now_ms),
    people: Object.fromEntries(found) as Record<string, PersonState>,
    kept: beside.filter((one) => one.kind !== 'person'),
    replay: commandHash == null ? null : { commandHash, receipt: row?.receipt },
    wrappedKey: (row?.wrapped_key as Buffer | null | undefined) ?? null,
  };
}

/** The locked streams by `kind/id`. */
export function loadedFrom(rows: readonly Row[]): ReadonlyMap<string, Loaded> {
  return new Map(
    rows.map((row) => [
      `${String(row.kind)}/${String(row.id)}`,
      {
        head: { revision: Number(row.revision), hash: row.head as Buffer },
        state: (row.state as StreamState | null) ?? null,
      },
    ]),
  );
}

/** The head of a stream, or the place before its first entry. */
export function headOf(loaded: ReadonlyMap<string, Loaded>, stream: string): Head {
  return loaded.get(stream)?.head ?? noHead;
}

/** The last moment any locked stream changed: our clock must not step behind it. */
export function lastChange(rows: readonly Row[]): number {
  return Math.max(0, ...rows.map((row) => (row.updated_at as Date).getTime()));
}

/** Puts the scene together for the pure decision. */
export function sceneOf(parts: {
  command: Command;
  actor: PersonState;
  loaded: ReadonlyMap<string, Loaded>;
  reading: Reading;
  now: number;
}): Scene {
  const { command, actor, loaded, reading, now } = parts;
  const reach = reachOf(command);
  const at = (stream: string) => loaded.get(stream)?.state ?? null;
  const lanes = [...loaded].filter(([stream]) => stream.startsWith('lane/')).map(([, one]) => one.state as LaneState);
  const promotions = [...loaded]
    .filter(([stream]) => stream.startsWith('promotion/'))
    .map(([, one]) => one.state as PromotionState);
  const kept = reading.kept.find((row) => row.kind === 'policy')?.state ?? null;
  return {
    now,
    actor,
    authority,
    digestOf: (text) => `sha256:${createHash('sha256').update(text).digest('hex')}` satisfies Digest,
    promotion: promotions.find((one) => one.id === reach.promotion) ?? null,
    rivals: promotions.filter((one) => one.id !== reach.promotion),
    lanes: {
      staging: lanes.find((lane) => lane.environment === 'staging') ?? null,
      production: lanes.find((lane) => lane.environment === 'production') ?? null,
    },
    prototype: at(`prototype/${reach.prototype ?? ''}`) as Scene['prototype'],
    policy: (at(`policy/${reach.policy ?? ''}`) ?? kept) as PolicyState | null,
    person: at(`person/${reach.person ?? ''}`) as Scene['person'],
    workspace: ([...loaded].find(([stream]) => stream.startsWith('workspace/'))?.[1].state ??
      null) as WorkspaceState | null,
    people: reading.people,
  };
}

/** Who acts: a stored principal, or one of those that exist without a row. */
export function actorIn(reading: Reading, id: PersonId): PersonState | null {
  return builtinOf(id) ?? reading.people[id] ?? null;
}

/** The prototype of the scene, when there is one, for the authority. */
export function prototypeIn(scene: Scene): PrototypeState['id'] | null {
  return (
    scene.promotion?.prototype ??
    scene.prototype?.id ??
    scene.lanes.production?.prototype ??
    scene.lanes.staging?.prototype ??
    null
  );
}
