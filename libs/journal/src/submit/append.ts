import {
  type Decided,
  type Draft,
  type EvidenceRef,
  evolve,
  leaseMs,
  type StreamState,
  type TokenRecord,
  uuidOf,
  type WorkspaceId,
} from '@proviso/domain';
import type { LookRow } from '../port.ts';
import type { Transaction } from '../session.ts';
import { statement } from '../statement.ts';
import { type Entry, type EntryContext, type Head, entryOf, toldBy } from './entry.ts';
import { headOf, type Loaded } from './load.ts';

/** Everything one submission writes, in one statement. */
export interface Writing {
  readonly entries: readonly Entry[];
  readonly streams: readonly {
    kind: string;
    id: string;
    revision: number;
    before: number;
    head: Buffer;
    state: StreamState | null;
  }[];
  readonly evidence: readonly EvidenceRef[];
  readonly tokens: readonly { token: TokenRecord; person: string }[];
  readonly revoked: readonly string[];
  readonly leases: readonly string[];
  readonly look: LookRow | null;
  readonly wakes: readonly string[];
  readonly vault: { readonly id: string; readonly person: string; readonly sealed: Buffer } | null;
  readonly newKey: { readonly person: string; readonly wrapped: Buffer } | null;
}

const writeAll = statement(
  'submit.write',
  `
with e as (
  insert into proviso.entry (workspace, stream, stream_id, sseq, kind, at, bytes, hash)
  select $1, r->>'stream', r->>'streamId', (r->>'sseq')::int, r->>'kind', $2, decode(r->>'bytes', 'base64'), decode(r->>'hash', 'hex')
    from jsonb_array_elements($3::jsonb) with ordinality as t(r, n) order by n
  returning id
), q as (
  insert into proviso.pending (entry, workspace) select id, $1 from e
), s as (
  insert into proviso.stream as old (workspace, kind, id, revision, head, state, updated_at)
  select $1, r->>'kind', r->>'id', (r->>'revision')::int, decode(r->>'head', 'hex'), nullif(r->'state', 'null'::jsonb), $2
    from jsonb_array_elements($4::jsonb) as r
  on conflict (workspace, kind, id) do update
     set revision = excluded.revision, head = excluded.head, state = excluded.state, updated_at = excluded.updated_at
   where old.revision = (select (r->>'before')::int from jsonb_array_elements($4::jsonb) as r where r->>'kind' = old.kind and r->>'id' = old.id)
  returning 1
), v as (
  insert into proviso.evidence (workspace, digest, kind, at)
  select $1, r->>'digest', r->>'kind', $2 from jsonb_array_elements($5::jsonb) as r
  on conflict do nothing
), t as (
  insert into proviso.token (hash, workspace, person, expires_at)
  select r->>'hash', $1, r->>'person', to_timestamp((r->>'expiresAt')::bigint / 1000.0) from jsonb_array_elements($6::jsonb) as r
), x as (
  delete from proviso.token where workspace = $1 and hash = any($7::text[])
), n as (
  insert into proviso.lease (workspace, lane, until)
  select $1, lane, clock_timestamp() + $8 * interval '1 millisecond' from unnest($9::text[]) as lane
  on conflict (workspace, lane) do update set until = excluded.until
), k as (
  insert into proviso.look (workspace, promotion, number, at, body)
  select $1, r->>'promotion', (r->>'number')::int, $2, r->'body' from jsonb_array_elements($10::jsonb) as r
  on conflict do nothing
), d as (
  insert into proviso.dirty as old (workspace, promotion, revision, marked_at)
  select $1, id, 1, $2 from unnest($11::text[]) as id
  on conflict (workspace, promotion) do update set revision = old.revision + 1
), m as (
  insert into proviso.promotion_status (workspace, id, prototype, environment, open, opened_at, updated_at)
  select $1, r->>'id', r->'state'->>'prototype', r->'state'->'policy'->>'environment', r->'state'->>'outcome' is null,
         to_timestamp((r->'state'->>'openedAt')::bigint / 1000.0), $2
    from jsonb_array_elements($4::jsonb) as r where r->>'kind' = 'promotion'
  on conflict (workspace, id) do update set open = excluded.open, updated_at = excluded.updated_at
), y as (
  insert into proviso.vault_key (workspace, person, wrapped)
  select $1, r->>'person', decode(r->>'wrapped', 'base64') from jsonb_array_elements($12::jsonb) as r
  on conflict do nothing returning 1
), z as (
  insert into proviso.vault (workspace, id, person, sealed)
  select $1, r->>'id', r->>'person', decode(r->>'sealed', 'base64') from jsonb_array_elements($13::jsonb) as r
), i as (
  insert into proviso.idempotency (workspace, key, command_hash, receipt, at)
  select $1, $14, $15, $16::jsonb || jsonb_build_object('entries', (select coalesce(jsonb_agg(id order by id), '[]'::jsonb) from e)), $2
  returning receipt
)
select (select receipt from i) as receipt,
       proviso.hold_still((select count(*) from s) = jsonb_array_length($4::jsonb) and (select count(*) from y) = jsonb_array_length($12::jsonb))`,
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
      before: headOf(loaded, stream).revision,
      head: head.hash,
      state: states.get(stream) ?? null,
    };
  });
  return {
    entries,
    streams,
    evidence: decided.drafts.flatMap(evidenceIn),
    tokens: decided.drafts.flatMap((draft) =>
      draft.stream === 'person' && draft.event.kind === 'token_issued'
        ? [{ token: draft.event.token, person: draft.id }]
        : [],
    ),
    revoked: decided.drafts.flatMap((draft) => revokedBy(draft, loaded)),
    leases: decided.lease ? [...loaded.values()].flatMap((one) => productionLane(one.state)) : [],
    look: null,
    wakes: decided.wakes,
    vault: null,
    newKey: null,
  };
}

function productionLane(state: StreamState | null): readonly string[] {
  return state !== null && 'fence' in state && 'environment' in state && state.environment === 'production'
    ? [state.id]
    : [];
}

function revokedBy(draft: Draft, loaded: ReadonlyMap<string, Loaded>): readonly string[] {
  if (draft.stream !== 'person') return [];
  const state = loaded.get(`person/${draft.id}`)?.state;
  const tokens = state != null && 'tokens' in state ? state.tokens : [];
  const { event } = draft;
  if (event.kind === 'person_disabled') return tokens.map((token) => token.hash);
  return event.kind === 'token_revoked'
    ? tokens.filter((token) => token.id === event.token).map((token) => token.hash)
    : [];
}

function evidenceIn(draft: Draft): readonly EvidenceRef[] {
  if (draft.stream === 'policy') return [{ kind: 'policy', digest: draft.event.digest }];
  if (draft.stream === 'prototype' && draft.event.kind === 'candidate_frozen') {
    const { manifestDigest, manifest } = draft.event.candidate;
    return [
      { kind: 'manifest', digest: manifestDigest },
      { kind: 'artifact', digest: manifest.artifact },
    ];
  }
  if (draft.stream !== 'promotion') return [];
  if (draft.event.kind === 'canary_condemned') return [{ kind: 'canary_snapshot', digest: draft.event.snapshot }];
  return draft.event.kind === 'gate_reported' ? draft.event.evidence : [];
}

/** Writes all of it and answers the receipt as stored. Fails with 40001 when a head was not where we locked it. */
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
  const [row] = await transaction.run(writeAll, [
    uuidOf(workspace),
    new Date(now),
    JSON.stringify(
      writing.entries.map((entry) => ({
        ...entry,
        bytes: entry.bytes.toString('base64'),
        hash: entry.hash.toString('hex'),
      })),
    ),
    JSON.stringify(writing.streams.map((stream) => ({ ...stream, head: stream.head.toString('hex') }))),
    JSON.stringify(writing.evidence),
    JSON.stringify(writing.tokens.map(({ token, person }) => ({ ...token, person }))),
    writing.revoked,
    leaseMs,
    writing.leases,
    JSON.stringify(writing.look === null ? [] : [writing.look]),
    writing.wakes,
    JSON.stringify(
      writing.newKey === null ? [] : [{ ...writing.newKey, wrapped: writing.newKey.wrapped.toString('base64') }],
    ),
    JSON.stringify(
      writing.vault === null ? [] : [{ ...writing.vault, sealed: writing.vault.sealed.toString('base64') }],
    ),
    key,
    commandHash,
    JSON.stringify(receipt),
  ]);
  return row?.receipt;
}
