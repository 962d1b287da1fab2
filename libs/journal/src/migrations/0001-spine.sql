-- Roles are made by the migrator; everything here is owned by proviso_owner, who cannot log in.
-- Every table carries the workspace; row-level security is forced, so that even the owner sees nothing without a context.

create function proviso.workspace() returns uuid language sql stable as
  $$ select nullif(current_setting('proviso.workspace', true), '')::uuid $$;

-- Ends a transaction whose rows were not where they were locked; the caller decides again.
create function proviso.hold_still(still boolean) returns boolean language plpgsql as
  $$ begin if not still then raise exception 'rows moved' using errcode = '40001'; end if; return true; end $$;

-- One row per stream: its head, and the folded state as the repair could always recompute it.
create table proviso.stream (
  workspace uuid not null,
  kind text not null,
  id text not null,
  revision integer not null,
  head bytea not null,
  state jsonb,
  updated_at timestamptz not null,
  primary key (workspace, kind, id)
)
-- States are a few kilobytes and change often: kept in their row, uncompressed, with room to be updated in place.
with (toast_tuple_target = 8160, fillfactor = 40);
alter table proviso.stream alter column state set storage external;

-- The entries: canonical bytes, hashed as bytes. Never updated, never deleted.
create table proviso.entry (
  id bigint generated always as identity (cache 1) primary key,
  workspace uuid not null,
  stream text not null,
  stream_id text not null,
  sseq integer not null,
  kind text not null,
  at timestamptz not null,
  bytes bytea not null check (octet_length(bytes) <= 65535),
  hash bytea not null,
  unique (workspace, stream, stream_id, sseq)
);

-- Entries that have no position yet; the sequencer takes them in order.
create table proviso.pending (
  entry bigint primary key,
  workspace uuid not null
);

-- The one public order.
create table proviso.leaf (
  index bigint primary key,
  entry bigint not null unique,
  workspace uuid not null
);
create index leaf_workspace on proviso.leaf (workspace, index);

-- What a key was answered, so that a retry gets the same answer and another command is a conflict.
create table proviso.idempotency (
  workspace uuid not null,
  key text not null check (length(key) <= 300),
  command_hash bytea not null,
  receipt jsonb not null,
  at timestamptz not null,
  primary key (workspace, key)
);

-- A promotion whose workflow must look again.
create table proviso.dirty (
  workspace uuid not null,
  promotion text not null,
  revision bigint not null,
  marked_at timestamptz not null,
  primary key (workspace, promotion)
);

-- What lists and the search for rivals need, written with the state.
create table proviso.promotion_status (
  workspace uuid not null,
  id text not null,
  prototype text not null,
  open boolean not null,
  -- Ids are drawn, so the order of opening has a number of its own.
  ordinal bigint generated always as identity,
  primary key (workspace, id)
);
create index promotion_status_newest on proviso.promotion_status (workspace, ordinal desc);
create index promotion_status_open on proviso.promotion_status (workspace, prototype) where open;

-- Until when a share between 0 and 100 may be served. Not in the fold: it is time, not a decision.
create table proviso.lease (
  workspace uuid not null,
  lane text not null,
  until timestamptz not null,
  primary key (workspace, lane)
);

-- One row per look of a judge, its state beside it.
create table proviso.look (
  workspace uuid not null,
  promotion text not null,
  number integer not null,
  at timestamptz not null,
  body jsonb not null,
  primary key (workspace, promotion, number)
);

-- Evidence that an entry of this workspace names.
create table proviso.evidence (
  workspace uuid not null,
  digest text not null,
  kind text not null,
  at timestamptz not null,
  primary key (workspace, digest)
);

-- Credentials by hash, for the look-up before a workspace is known.
create table proviso.token (
  hash text primary key,
  workspace uuid not null,
  person text not null,
  expires_at timestamptz not null
);

-- Names, addresses and free text, encrypted under a key per person. Erasing the key keeps every proof valid.
create table proviso.vault_key (
  workspace uuid not null,
  person text not null,
  wrapped bytea not null,
  primary key (workspace, person)
);
create table proviso.vault (
  workspace uuid not null,
  id text not null,
  person text not null,
  sealed bytea not null,
  primary key (workspace, id)
);

-- What an edge says it runs.
create table proviso.edge_report (
  workspace uuid not null,
  edge text not null,
  report jsonb not null,
  at timestamptz not null,
  primary key (workspace, edge)
);

-- Background leaders: the epoch is checked in each of their writes.
create table proviso.leader (
  name text primary key,
  epoch bigint not null
);
insert into proviso.leader (name, epoch) values ('waker', 0), ('sequencer', 0), ('reconciler', 0);

do $$
declare name text;
begin
  foreach name in array array['stream', 'entry', 'pending', 'leaf', 'idempotency', 'dirty', 'promotion_status', 'lease', 'look', 'evidence', 'token', 'vault_key', 'vault', 'edge_report']
  loop
    execute format('alter table proviso.%I enable row level security', name);
    execute format('alter table proviso.%I force row level security', name);
    execute format('create policy workspace_only on proviso.%I to proviso_app using (workspace = proviso.workspace()) with check (workspace = proviso.workspace())', name);
  end loop;
  -- The pump works across workspaces, but only on what it must.
  foreach name in array array['entry', 'stream', 'promotion_status', 'evidence']
  loop
    execute format('create policy pump_reads on proviso.%I for select to proviso_pump using (true)', name);
  end loop;
  foreach name in array array['pending', 'leaf', 'dirty']
  loop
    execute format('create policy pump_works on proviso.%I to proviso_pump using (true) with check (true)', name);
  end loop;
end $$;

alter table proviso.leader enable row level security;
alter table proviso.leader force row level security;
create policy pump_leads on proviso.leader to proviso_pump using (true) with check (true);

grant usage on schema proviso to proviso_app, proviso_pump;
grant select, insert, update on proviso.stream, proviso.promotion_status, proviso.lease, proviso.dirty, proviso.edge_report to proviso_app;
grant select, insert on proviso.entry, proviso.pending, proviso.idempotency, proviso.look, proviso.evidence, proviso.vault, proviso.vault_key to proviso_app;
grant select, insert, delete on proviso.token to proviso_app;
grant delete on proviso.vault_key to proviso_app;
grant select on proviso.leaf to proviso_app;
grant select on proviso.entry, proviso.stream, proviso.promotion_status, proviso.evidence to proviso_pump;
grant select, delete on proviso.pending, proviso.dirty to proviso_pump;
grant select, insert on proviso.leaf to proviso_pump;
grant select, update on proviso.leader to proviso_pump;

-- Look-ups before a workspace is known. The owner is subject to forced row-level security, hence its own policy.
create policy owner_looks_up on proviso.token for select to proviso_owner using (true);
create function proviso.principal_of_token(token_hash text)
  returns table (workspace uuid, person text)
  language sql stable security definer set search_path = proviso, pg_temp as
  $$ select t.workspace, t.person from proviso.token t where t.hash = token_hash and t.expires_at > clock_timestamp() $$;
revoke all on function proviso.principal_of_token(text) from public;
grant execute on function proviso.principal_of_token(text) to proviso_app;
