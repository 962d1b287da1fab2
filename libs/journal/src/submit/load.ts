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

/** Everything that is read beside the locked rows, on snapshots taken after the locks were granted. */
export interface Reading {
  readonly now: number;
  readonly people: Readonly<Record<string, PersonState>>;
  readonly kept: readonly Row[];
  readonly replay: { readonly commandHash: Buffer; readonly receipt: unknown } | null;
  readonly wrappedKey: Buffer | null;
}

const readKey = statement(
  'submit.read',
  `select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms, i.command_hash, i.receipt
     from (values (1)) as one left join proviso.idempotency i on i.workspace = $1 and i.key = $2`,
);

// People are kept with FOR SHARE: a role that is revoked meanwhile waits for us, or we see it revoked.
const person = `select kind, id, state from proviso.stream where workspace = $1 and kind = 'person'`;

const readActor = statement('submit.actor', `${person} and id = $2 for share`);

const readVoters = statement(
  'submit.voters',
  `${person} and id = any(array(
     select $2 union
     select jsonb_array_elements_text(jsonb_path_query_array(state, '$.gates[*].decisions[*].person')) from proviso.stream
      where workspace = $1 and kind = 'promotion' and id = any($3::text[]))) order by id for share`,
);

const readInvolved = statement(
  'submit.involved',
  `${person} and id = any(array(
     select $2 union
     select jsonb_array_elements_text(
              jsonb_path_query_array(state, '$.owner') || jsonb_path_query_array(state, '$.candidates[*].provenance.uploader')
              || jsonb_path_query_array(state, '$.candidates[*].provenance.authors[*]') || jsonb_path_query_array(state, '$.current.author'))
       from proviso.stream
      where workspace = $1 and (kind = 'prototype' and id = any($3::text[]) or kind = 'policy' and id = any($4::text[])))) order by id for share`,
);

const readPolicies = statement(
  'submit.policies',
  `select kind, id, state from proviso.stream where workspace = $1 and kind = 'policy' and id = any($2::text[]) order by id for share`,
);

const readVaultKey = statement(
  'submit.wrapped',
  `select wrapped from proviso.vault_key where workspace = $1 and person = $2`,
);

/** What is read beside the locked rows. */
export interface Beside {
  readonly workspace: WorkspaceId;
  readonly actor: PersonId;
  readonly plan: LockPlan;
  /** Whose rights matter beside the actor's own. */
  readonly people: 'nobody' | 'voters' | 'involved';
  readonly key: string;
  /** Free text comes with it, so the key that seals it is needed. */
  readonly seals: boolean;
}

/** Reads what stands beside the locked rows: only what the command needs, all in one packet. */
export async function readFor(transaction: Transaction, beside: Beside): Promise<Reading> {
  const at = uuidOf(beside.workspace);
  const { actor, plan, key } = beside;
  const [answer, people, kept, [sealing]] = await Promise.all([
    readAnswer(transaction, beside.workspace, key),
    peopleFor(transaction, beside),
    plan.kept.length > 0 ? transaction.run(readPolicies, [at, plan.kept]) : [],
    beside.seals ? transaction.run(readVaultKey, [at, actor]) : [],
  ]);
  return {
    ...answer,
    people: Object.fromEntries(people.map((row) => [row.id, row.state])) as Record<string, PersonState>,
    kept,
    wrappedKey: (sealing?.wrapped as Buffer | undefined) ?? null,
  };
}

/** The database's clock and what this key was answered before, if anything. */
export async function readAnswer(
  transaction: Transaction,
  workspace: WorkspaceId,
  key: string,
): Promise<Pick<Reading, 'now' | 'replay'>> {
  const [told] = await transaction.run(readKey, [uuidOf(workspace), key]);
  const commandHash = told?.command_hash as Buffer | null | undefined;
  return { now: Number(told?.now_ms), replay: commandHash == null ? null : { commandHash, receipt: told?.receipt } };
}

function peopleFor(transaction: Transaction, beside: Beside): Promise<readonly Row[]> {
  const { workspace, actor, plan, people } = beside;
  const at = uuidOf(workspace);
  const prototypes = plan.others.filter((one) => one.kind === 'prototype').map((one) => one.id);
  switch (people) {
    case 'nobody':
      return builtinOf(actor) === undefined ? transaction.run(readActor, [at, actor]) : Promise.resolve([]);
    case 'voters':
      return transaction.run(readVoters, [at, actor, plan.promotions]);
    case 'involved':
      return transaction.run(readInvolved, [at, actor, prototypes, plan.kept]);
  }
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
  lentBy: PersonId | null;
  loaded: ReadonlyMap<string, Loaded>;
  reading: Reading;
  now: number;
}): Scene {
  const { command, actor, lentBy, loaded, reading, now } = parts;
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
    lentBy,
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
