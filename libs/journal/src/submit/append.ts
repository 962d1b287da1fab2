import {
  type Decided,
  type Draft,
  type EvidenceRef,
  evolve,
  type Place,
  placeOf,
  type PromotionState,
  type StreamState,
  uuidOf,
  type WorkspaceId,
} from '@proviso/domain';
import type { LookRow } from '../look-view.ts';
import type { Transaction } from '../session.ts';
import { type Statement, statement } from '../statement.ts';
import { type Entry, type EntryContext, type Head, entryOf, toldBy } from './entry.ts';
import { headOf, type Loaded } from './load.ts';
import { type Credentials, credentialsIn, writeCredentials } from './credentials.ts';
import { type Taken, takenBy, writeTaken } from './taken.ts';

/** Everything one submission writes, in one batch. */
export interface Writing {
  readonly entries: readonly Entry[];
  readonly streams: readonly {
    kind: string;
    id: string;
    revision: number;
    head: Buffer;
    state: StreamState | null;
  }[];
  /** Promotions that opened or ended; what lists and the search for rivals go by. */
  readonly status: readonly {
    readonly id: string;
    readonly prototype: string;
    readonly open: boolean;
    readonly place: string | null;
  }[];
  readonly taken: Taken;
  readonly evidence: readonly EvidenceRef[];
  readonly credentials: Credentials;
  /** Lanes whose share may be served on, and for how long. */
  readonly lease: { readonly lanes: readonly string[]; readonly ms: number };
  /** Lanes whose share must not be served any more until a judge has looked again. */
  readonly lapses: readonly string[];
  readonly look: LookRow | null;
  readonly wakes: readonly string[];
  readonly vault: { readonly id: string; readonly person: string; readonly sealed: Buffer } | null;
  /** People whose vault key is destroyed: whatever it sealed can be read by nobody any more. */
  readonly shredded: readonly string[];
  /** By which marks a person who was added is known as an author. */
  readonly marks: readonly { readonly person: string; readonly mark: string }[];
  readonly newKey: { readonly person: string; readonly wrapped: Buffer } | null;
}

/**
 * Entries, heads with their states, and the answer of the key: what every submission writes, so it is one statement of
 * plain rows, one text for each number of entries and streams. Nobody can have taken a number that we take: known heads
 * are locked, and of two who begin a stream the second breaks the uniqueness of (stream, number) and decides again.
 */
function writeCore(entries: number, streams: number): Statement {
  const name = `submit.write.${entries}.${streams}`;
  const known = cores.get(name);
  if (known !== undefined) return known;
  const rows = (count: number, width: number, from: number, row: (at: (column: number) => string) => string): string =>
    Array.from({ length: count }, (_none, index) => `(${row((column) => `$${from + index * width + column}`)})`).join(
      ', ',
    );
  const entryRows = rows(
    entries,
    entryWidth,
    coreWidth,
    (at) => `$1, ${at(1)}, ${at(2)}, ${at(3)}, ${at(4)}, $2, ${at(5)}, ${at(6)}`,
  );
  const streamRows = rows(
    streams,
    streamWidth,
    coreWidth + entries * entryWidth,
    (at) => `$1, ${at(1)}, ${at(2)}, ${at(3)}, ${at(4)}, ${at(5)}, $2`,
  );
  const parts = [
    ...(entries === 0
      ? []
      : [
          `e as (
  insert into proviso.entry (workspace, stream, stream_id, sseq, kind, at, bytes, hash) values ${entryRows} returning id
)`,
          `q as (
  insert into proviso.pending (entry, workspace) select id, $1 from e
)`,
        ]),
    ...(streams === 0
      ? []
      : [
          `s as (
  insert into proviso.stream (workspace, kind, id, revision, head, state, updated_at) values ${streamRows}
  on conflict (workspace, kind, id) do update
     set revision = excluded.revision, head = excluded.head, state = excluded.state, updated_at = excluded.updated_at
)`,
        ]),
  ];
  const ids = entries === 0 ? `'[]'::jsonb` : '(select jsonb_agg(id order by id) from e)';
  const core = statement(
    name,
    `${
      parts.length === 0
        ? ''
        : `with ${parts.join(', ')}
`
    }insert into proviso.idempotency (workspace, key, command_hash, receipt, at)
values ($1, $3, $4, $5::jsonb || jsonb_build_object('entries', ${ids}), $2)
returning receipt`,
  );
  cores.set(name, core);
  return core;
}

const cores = new Map<string, Statement>();
const coreWidth = 5;
const entryWidth = 6;
const streamWidth = 5;
// For review: what a question that renews a lease writes, what a vote writes, and the form that all others have.
for (const [entries, streams] of [
  [0, 0],
  [1, 1],
  [3, 2],
] as const)
  writeCore(entries, streams);

const writeStatus = statement(
  'submit.status',
  `insert into proviso.promotion_status (workspace, id, prototype, open, place)
   select $1, t.* from unnest($2::text[], $3::text[], $4::boolean[], $5::text[]) as t
   on conflict (workspace, id) do update set open = excluded.open, place = excluded.place`,
);

const writeWakes = statement(
  'submit.wakes',
  `insert into proviso.dirty as old (workspace, promotion, revision, marked_at)
   select $1, id, 1, $2 from unnest($3::text[]) as id
   on conflict (workspace, promotion) do update set revision = old.revision + 1`,
);

const writeEvidence = statement(
  'submit.evidence',
  `insert into proviso.evidence (workspace, digest, kind, at) select $1, t.digest, t.kind, $2 from unnest($3::text[], $4::text[]) as t(digest, kind)
   on conflict do nothing`,
);

const writeLease = statement(
  'submit.lease',
  `insert into proviso.lease (workspace, lane, until) select $1, lane, clock_timestamp() + $2 * interval '1 millisecond' from unnest($3::text[]) as lane
   on conflict (workspace, lane) do update set until = excluded.until`,
);

// The backup may be younger than a lease: what was granted before it is over, whatever the clock says.
const endLease = statement(
  'submit.lapse',
  `update proviso.lease set until = clock_timestamp() where workspace = $1 and lane = any($2::text[]) and until > clock_timestamp()`,
);

const writeLook = statement(
  'submit.look',
  `insert into proviso.look (workspace, promotion, number, at, body) values ($1, $2, $3, $4, $5::jsonb) on conflict do nothing`,
);

// Two first texts of one person at the same instant would seal under two keys: the second writer decides again.
const writeVaultKey = statement(
  'submit.vault_key',
  `with y as (
     insert into proviso.vault_key (workspace, person, wrapped) values ($1, $2, $3) on conflict do nothing returning 1
   ) select proviso.hold_still((select count(*) from y) = 1)`,
);

const shredKeys = statement(
  'submit.shred',
  `delete from proviso.vault_key where workspace = $1 and person = any($2::text[])`,
);

const writeMarks = statement(
  'submit.marks',
  `insert into proviso.author_mark (workspace, mark, person) select $1, t.* from unnest($2::text[], $3::text[]) as t`,
);

const forgetMarks = statement(
  'submit.forget_marks',
  `delete from proviso.author_mark where workspace = $1 and person = any($2::text[])`,
);

const writeVault = statement(
  'submit.vault',
  `insert into proviso.vault (workspace, id, person, sealed) values ($1, $2, $3, $4)`,
);

/** Turns a decision into what is written: entries chained per stream, and each stream's state folded by the same `evolve`. */
export function writingOf(decided: Decided, loaded: ReadonlyMap<string, Loaded>, context: EntryContext): Writing {
  const heads = new Map<string, Head>();
  const states = new Map<string, StreamState | null>();
  const entries: Entry[] = [];
  for (const draft of decided.drafts) {
    const stream = `${draft.stream}/${draft.id}`;
    const entry = entryOf(toldBy(draft), heads.get(stream) ?? headOf(loaded, stream), context);
    entries.push(entry);
    heads.set(stream, { revision: entry.sseq, hash: entry.hash });
    states.set(stream, evolve(states.get(stream) ?? loaded.get(stream)?.state ?? null, draft, context.now));
  }
  const streams = [...heads].map(([stream, head]) => {
    const slash = stream.indexOf('/');
    return {
      kind: stream.slice(0, slash),
      id: stream.slice(slash + 1),
      revision: head.revision,
      head: head.hash,
      state: states.get(stream) ?? null,
    };
  });
  return {
    entries,
    streams,
    status: streams.flatMap((stream) => statusOf(stream, loaded)),
    taken: takenBy(decided.drafts, {
      freed: streams.some((stream) => freesPlace(stream, loaded)),
      prototypes: prototypesOf(streams),
    }),
    evidence: decided.drafts.flatMap(evidenceIn),
    credentials: credentialsIn(decided.drafts, loaded),
    lease: { lanes: decided.leaseMs > 0 ? productionLanes(loaded) : [], ms: decided.leaseMs },
    lapses: decided.drafts.flatMap((draft) => (draft.event.kind === 'incarnation_raised' ? [draft.id] : [])),
    look: null,
    wakes: decided.wakes,
    vault: null,
    shredded: decided.drafts.flatMap((draft) => (draft.event.kind === 'person_erased' ? [draft.id] : [])),
    marks: [],
    newKey: null,
  };
}

/** Most submissions leave a promotion as open as it was; then there is nothing to write. */
function statusOf(stream: Writing['streams'][number], loaded: ReadonlyMap<string, Loaded>): Writing['status'] {
  if (stream.kind !== 'promotion') return [];
  const state = stream.state as PromotionState;
  const before = loaded.get(`promotion/${stream.id}`)?.state as PromotionState | undefined;
  const [open, place] = [state.outcome === null, placeOf(state)];
  return before !== undefined && (before.outcome === null) === open && placeOf(before) === place
    ? []
    : [{ id: state.id, prototype: state.prototype, open, place }];
}

/** Whose each promotion is, as it will be stored. */
function prototypesOf(streams: Writing['streams']): ReadonlyMap<string, string> {
  const promotions = streams.filter(({ kind }) => kind === 'promotion').map(({ state }) => state as PromotionState);
  return new Map(promotions.map(({ id, prototype }) => [id, prototype]));
}

/** Whoever held a place or waited for one makes room for the next when it goes. */
function freesPlace(stream: Writing['streams'][number], loaded: ReadonlyMap<string, Loaded>): boolean {
  if (stream.kind !== 'promotion') return false;
  const before = loaded.get(`promotion/${stream.id}`)?.state as PromotionState | null | undefined;
  if (before == null) return false;
  const inTurn = (place: Place | null) => place === 'running' || place === 'waiting';
  return inTurn(placeOf(before)) && !inTurn(placeOf(stream.state as PromotionState));
}

function productionLanes(loaded: ReadonlyMap<string, Loaded>): readonly string[] {
  return [...loaded.values()].flatMap(({ state }) =>
    state !== null && 'environment' in state && state.environment === 'production' ? [state.id] : [],
  );
}

function evidenceIn(draft: Draft): readonly EvidenceRef[] {
  if (draft.stream === 'policy') return 'digest' in draft.event ? [{ kind: 'policy', digest: draft.event.digest }] : [];
  if (draft.stream === 'prototype' && draft.event.kind === 'candidate_frozen') {
    const { manifestDigest, manifest } = draft.event.candidate;
    return [
      { kind: 'manifest', digest: manifestDigest },
      { kind: 'artifact', digest: manifest.artifact },
    ];
  }
  // Never one of our own kinds: what edges may fetch goes by them.
  if (draft.stream === 'prototype' && draft.event.kind === 'evidence_added')
    return [{ kind: `external/${draft.event.evidence.kind}`, digest: draft.event.evidence.digest }];
  if (draft.stream !== 'promotion') return [];
  if (draft.event.kind === 'artifact_built') return [{ kind: 'artifact', digest: draft.event.artifact }];
  if (draft.event.kind === 'canary_condemned') return [{ kind: 'canary_snapshot', digest: draft.event.snapshot }];
  return draft.event.kind === 'gate_reported' || draft.event.kind === 'watch_reported' ? draft.event.evidence : [];
}

/**
 * Starts all writes of a submission behind each other, to be sent with the commit in one batch, and answers the receipt
 * as stored. Fails with 23505 when somebody else began the same stream.
 */
export async function write(
  transaction: Transaction,
  request: {
    workspace: WorkspaceId;
    now: number;
    writing: Writing;
    key: string;
    commandHash: Buffer;
    receipt: unknown;
  },
): Promise<unknown> {
  const { workspace, now, writing, key, commandHash, receipt } = request;
  const { entries, streams } = writing;
  const core = transaction.run(writeCore(entries.length, streams.length), [
    uuidOf(workspace),
    new Date(now),
    key,
    commandHash,
    JSON.stringify(receipt),
    ...entries.flatMap((one) => [one.stream, one.streamId, one.sseq, one.kind, one.bytes, one.hash]),
    ...streams.flatMap((one) => [
      one.kind,
      one.id,
      one.revision,
      one.head,
      one.state === null ? null : JSON.stringify(one.state),
    ]),
  ]);
  const [rows] = await Promise.all([core, ...besides(transaction, uuidOf(workspace), new Date(now), writing)]);
  return rows[0]?.receipt;
}

/** What only some submissions write. */
function besides(
  transaction: Transaction,
  workspace: string,
  now: Date,
  writing: Writing,
): readonly Promise<unknown>[] {
  const { status, taken, wakes, evidence, credentials, lease, lapses, look, shredded, marks } = writing;
  const { newKey, vault } = writing;
  const when = (wanted: boolean, what: Statement, ...values: readonly unknown[]) =>
    wanted ? [transaction.run(what, [workspace, ...values])] : [];
  return [
    ...when(
      status.length > 0,
      writeStatus,
      status.map((one) => one.id),
      status.map((one) => one.prototype),
      status.map((one) => one.open),
      status.map((one) => one.place),
    ),
    ...writeTaken(transaction, { workspace, now, taken }),
    ...when(wakes.length > 0, writeWakes, now, wakes),
    ...when(
      evidence.length > 0,
      writeEvidence,
      now,
      evidence.map((one) => one.digest),
      evidence.map((one) => one.kind),
    ),
    ...writeCredentials(transaction, workspace, credentials),
    ...when(lease.lanes.length > 0, writeLease, lease.ms, lease.lanes),
    ...when(lapses.length > 0, endLease, lapses),
    ...(look === null ? [] : when(true, writeLook, look.promotion, look.number, now, JSON.stringify(look.body))),
    ...when(shredded.length > 0, shredKeys, shredded),
    ...when(shredded.length > 0, forgetMarks, shredded),
    ...when(
      marks.length > 0,
      writeMarks,
      marks.map((one) => one.mark),
      marks.map((one) => one.person),
    ),
    ...(newKey === null ? [] : when(true, writeVaultKey, newKey.person, newKey.wrapped)),
    ...(vault === null ? [] : when(true, writeVault, vault.id, vault.person, vault.sealed)),
  ];
}
