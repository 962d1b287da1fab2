import { hash } from 'node:crypto';
import { authority } from '@proviso/authority';
import { calendar } from '@proviso/calendar';
import {
  builtinOf,
  type Command,
  type Digest,
  type Door,
  type KeptArtifact,
  type Identity,
  type IdentityHolder,
  type LaneState,
  type PersonId,
  type PersonState,
  type PolicyState,
  type PromotionState,
  reachOf,
  type Scene,
  type StreamState,
  type TokenRecord,
  type Usage,
  uuidOf,
  type WorkspaceId,
  type WorkspaceState,
} from '@proviso/domain';
import type { Row, Transaction } from '../session.ts';
import { statement } from '../statement.ts';
import { type Head, noHead } from './entry.ts';
import { holderOf } from './credentials.ts';
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
  readonly usage: Usage | null;
  readonly authors: Scene['authors'];
  readonly artifact: KeptArtifact | null;
  readonly holder: IdentityHolder | null;
  /** All policies of the workspace, where one is published. */
  readonly policies: readonly PolicyState[];
}

// People are kept with FOR SHARE: a role that is revoked meanwhile waits for us, or we see it revoked.
const person = `select id, state from proviso.stream where workspace = $1 and kind = 'person'`;

const readBeside = statement(
  'submit.read',
  `select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms, i.command_hash, i.receipt,
          (select json_agg(p.state) from (${person} and id = any($3::text[]) order by id for share) as p) as people
     from (values (1)) as one left join proviso.idempotency i on i.workspace = $1 and i.key = $2`,
);

const readPeople = statement('submit.people', `${person} and id = any($2::text[]) order by id for share`);

// By the address that an administrator gave, or by the account at GitHub that somebody has linked.
const knownAuthors = `select mark, person from proviso.author_mark where workspace = $1
   union all select subject, person from proviso.identity where workspace = $1 and issuer = 'github'`;

// Whom its candidates' commits name, who has pushed them, and who has started the run that asks.
const claimedMarks = (prototypes: string, actor: string) =>
  `select jsonb_array_elements_text(jsonb_path_query_array(state::jsonb, '$.candidates[*].provenance.claims[*][*]')
            || jsonb_path_query_array(state::jsonb, '$.candidates[*].provenance.pushers[*]') || jsonb_path_query_array(state::jsonb, '$.tokens[*].starter'))
   from proviso.stream where workspace = $1 and (kind = 'prototype' and id = any(${prototypes}::text[]) or kind = 'person' and id = ${actor})`;

const readInvolved = statement(
  'submit.involved',
  `${person} and id = any(array(
     select $2 union
     select jsonb_array_elements_text(
              jsonb_path_query_array(state::jsonb, '$.owner') || jsonb_path_query_array(state::jsonb, '$.candidates[*].provenance.uploader')
              || jsonb_path_query_array(state::jsonb, '$.candidates[*].provenance.authors[*]') || jsonb_path_query_array(state::jsonb, '$.candidates[*].evidence[*].by')
              || jsonb_path_query_array(state::jsonb, '$.current.author') || jsonb_path_query_array(state::jsonb, '$.stronger.author'))
       from proviso.stream
      where workspace = $1 and (kind = 'prototype' and id = any($3::text[]) or kind = 'policy' and id = any($4::text[]))
     union select person from (${knownAuthors}) as known where mark in (${claimedMarks('$3', '$2')}))) order by id for share`,
);

// Asked behind the people: somebody who becomes known in between is excluded all the same.
const readAuthors = statement(
  'submit.authors',
  `select mark, person from (${knownAuthors}) as known where mark in (${claimedMarks('$2', '$3')})`,
);

const readPolicies = statement(
  'submit.policies',
  `select kind, id, state from proviso.stream where workspace = $1 and kind = 'policy' and id = any($2::text[]) order by id for share`,
);

/** More names than this nobody chooses among; what stands beyond would not be held against a publication. */
const policiesMax = 1_000;

/** Enough to find out whether a policy's twenty requirements can be met, in a workspace of any size. */
const electorateMax = 10_000;

const readAllPolicies = statement(
  'submit.all_policies',
  `select state from proviso.stream where workspace = $1 and kind = 'policy' order by id limit $2`,
);

const readElectorate = statement(
  'submit.electorate',
  `${person} and state->>'kind' = 'human' and state->>'disabled' = 'false' and json_array_length(state->'bindings') > 0 order by id limit $2`,
);

const readVaultKey = statement(
  'submit.wrapped',
  `select wrapped from proviso.vault_key where workspace = $1 and person = $2`,
);

// Sums over a workspace's own rows, which are some hundred: exact under the lock, and no counter that could drift.
const countUsage = statement(
  'submit.usage',
  `select (select coalesce(sum(bytes), 0) from proviso.artifact where workspace = $1 and removed_at is null)
            + coalesce((select evidence_bytes from proviso.usage where workspace = $1), 0) as disk_bytes,
          (select count(*) from proviso.stream where workspace = $1 and kind = 'prototype') as prototypes,
          (select count(*) from proviso.promotion_status where workspace = $1 and open and place = 'running') as runs,
          (select count(*) from proviso.build where workspace = $1
              and at >= date_trunc('day', statement_timestamp(), 'UTC')) as builds,
          (extract(epoch from date_trunc('day', statement_timestamp(), 'UTC') + interval '24 hours') * 1000)::bigint as day_ends_ms,
          (select count(*) from proviso.promotion_status where workspace = $1 and open and place = 'waiting'
              and ordinal < (select ordinal from proviso.promotion_status where workspace = $1 and id = $2)) as waiting_before`,
);

/** What a workspace takes at the moment; `promotion` may be empty where nobody waits for a place. */
export async function readUsage(transaction: Transaction, workspace: WorkspaceId, promotion: string): Promise<Usage> {
  const [row] = await transaction.run(countUsage, [uuidOf(workspace), promotion]);
  return {
    diskBytes: Number(row?.disk_bytes),
    prototypes: Number(row?.prototypes),
    runs: Number(row?.runs),
    builds: Number(row?.builds),
    dayEndsAt: Number(row?.day_ends_ms),
    waitingBefore: Number(row?.waiting_before),
  };
}

const readArtifact = statement(
  'submit.artifact',
  `select bytes, removed_at is not null as removed from proviso.artifact where workspace = $1 and prototype = $2 and digest = $3`,
);

/** Files of one prototype, whose rows nobody writes without a lock that is held by now. */
async function keptIn(
  transaction: Transaction,
  { workspace, kept }: { workspace: WorkspaceId; kept: NonNullable<Beside['keeps']> },
): Promise<KeptArtifact | null> {
  const [row] = await transaction.run(readArtifact, [uuidOf(workspace), kept.prototype, kept.artifact]);
  return row === undefined ? null : { bytes: Number(row.bytes), removed: row.removed === true };
}

/** What is read beside the locked rows. */
export interface Beside {
  readonly workspace: WorkspaceId;
  readonly plan: LockPlan;
  readonly actor: PersonId;
  /** Others whose rights matter, as far as they are known before the rows are locked. */
  readonly people: readonly PersonId[];
  /** An opening also needs everybody who is involved in the prototype. */
  readonly involved: boolean;
  readonly key: string;
  /** Free text comes with it, so the key that seals it is needed. */
  readonly seals: boolean;
  /** What the workspace takes is counted, as this promotion sees it: those that wait before it come first. */
  readonly counts?: string;
  /** The files that the command is about. */
  readonly keeps?: { readonly prototype: string; readonly artifact: Digest };
  /** Whom this account elsewhere belongs to. */
  readonly identity?: Identity;
  /** A publication is held against all policies and all who could vote. */
  readonly publishes?: boolean;
}

/** Reads what stands beside the locked rows: only what the command needs, all in one packet. */
export async function readFor(transaction: Transaction, beside: Beside): Promise<Reading> {
  const at = uuidOf(beside.workspace);
  const { actor, plan, key } = beside;
  const prototypes = plan.others.filter((one) => one.kind === 'prototype').map((one) => one.id);
  const stored = [actor, ...beside.people].filter((id) => builtinOf(id) === undefined);
  const [answer, involved, authors, kept, [sealing], usage, artifact, holder, policies, electorate] = await Promise.all(
    [
      readAnswer(transaction, { workspace: beside.workspace, key, people: stored }),
      beside.involved ? transaction.run(readInvolved, [at, actor, prototypes, plan.kept]) : [],
      beside.involved ? transaction.run(readAuthors, [at, prototypes, actor]) : [],
      plan.kept.length > 0 ? transaction.run(readPolicies, [at, plan.kept]) : [],
      beside.seals ? transaction.run(readVaultKey, [at, actor]) : [],
      beside.counts === undefined ? null : readUsage(transaction, beside.workspace, beside.counts),
      beside.keeps === undefined ? null : keptIn(transaction, { workspace: beside.workspace, kept: beside.keeps }),
      beside.identity === undefined ? null : holderOf(transaction, beside.workspace, beside.identity),
      beside.publishes ? transaction.run(readAllPolicies, [at, policiesMax]) : [],
      beside.publishes ? transaction.run(readElectorate, [at, electorateMax]) : [],
    ],
  );
  return {
    ...answer,
    people: { ...answer.people, ...byId([...involved, ...electorate].map((row) => row.state as PersonState)) },
    kept,
    wrappedKey: (sealing?.wrapped as Buffer | undefined) ?? null,
    usage,
    authors: byMark(authors),
    artifact,
    holder,
    policies: policies.map((row) => row.state as PolicyState),
  };
}

/** The database's clock, what this key was answered before, if anything, and these people as they are now. */
export async function readAnswer(
  transaction: Transaction,
  { workspace, key, people = [] }: { workspace: WorkspaceId; key: string; people?: readonly PersonId[] },
): Promise<Pick<Reading, 'now' | 'replay' | 'people'>> {
  const [told] = await transaction.run(readBeside, [uuidOf(workspace), key, people]);
  const commandHash = told?.command_hash as Buffer | null | undefined;
  return {
    now: Number(told?.now_ms),
    replay: commandHash == null ? null : { commandHash, receipt: told?.receipt },
    people: byId((told?.people as readonly PersonState[] | null) ?? []),
  };
}

/** Everybody who voted on these promotions; only the locked rows know them for certain. */
export function votersIn(streams: Iterable<StreamState | null>): readonly PersonId[] {
  return [...streams].flatMap((state) =>
    state !== null && 'gates' in state
      ? state.gates.flatMap((gate) =>
          gate.decisions.flatMap(({ person, rightOf }) => [person, ...(rightOf === undefined ? [] : [rightOf])]),
        )
      : [],
  );
}

/** Reads those who turned out to matter only when the rows were locked. */
export async function readLater(
  transaction: Transaction,
  { workspace, people }: { workspace: WorkspaceId; people: readonly PersonId[] },
): Promise<Reading['people']> {
  const rows = await transaction.run(readPeople, [uuidOf(workspace), people]);
  return byId(rows.map((row) => row.state as PersonState));
}

function byMark(rows: readonly Row[]): Scene['authors'] {
  const marks = Object.groupBy(rows, (row) => String(row.mark));
  return Object.fromEntries(
    Object.entries(marks).map(([mark, known = []]) => [mark, known.map((row) => row.person as PersonId)]),
  );
}

function byId(people: readonly PersonState[]): Readonly<Record<string, PersonState>> {
  return Object.fromEntries(people.map((person) => [person.id, person]));
}

/** The locked streams by `kind/id`; those that came without their state are what they are known to be at that head. */
export function loadedFrom(
  rows: readonly Row[],
  known: ReadonlyMap<string, Loaded> = new Map(),
): ReadonlyMap<string, Loaded> {
  return new Map(
    rows.map((row) => {
      const name = `${String(row.kind)}/${String(row.id)}`;
      const head = { revision: Number(row.revision), hash: row.head as Buffer };
      const memory = known.get(name);
      const state = memory?.head.hash.equals(head.hash) ? memory.state : ((row.state as StreamState | null) ?? null);
      return [name, { head, state }];
    }),
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
  token: TokenRecord | null;
  door: Door;
  says: boolean;
  loaded: ReadonlyMap<string, Loaded>;
  reading: Reading;
  now: number;
}): Scene {
  const { command, actor, lentBy, token, door, says, loaded, reading, now } = parts;
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
    token,
    door,
    says,
    authority,
    calendar,
    digestOf: (text) => `sha256:${hash('sha256', text)}` satisfies Digest,
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
    usage: reading.usage,
    authors: reading.authors,
    artifact: reading.artifact,
    holder: reading.holder,
    policies: reading.policies,
    people: reading.people,
  };
}

/** Who acts: a stored principal, or one of those that exist without a row. */
export function actorIn(reading: Reading, id: PersonId): PersonState | null {
  return builtinOf(id) ?? reading.people[id] ?? null;
}
