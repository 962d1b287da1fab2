-- What a workspace takes of the machine: the files of its versions and its evidence on the disk, and the promotions that
-- run a candidate's own code.

-- The files of a version as one prototype keeps them. Removed ones stay as a row: their manifest is still evidence.
create table proviso.artifact (
  workspace uuid not null,
  prototype text not null,
  digest text not null,
  bytes bigint not null,
  frozen_at timestamptz not null,
  removed_at timestamptz,
  primary key (workspace, prototype, digest)
);
create index artifact_digest on proviso.artifact (digest);

-- Versions from before this table; their sizes are told by the collector when it reads their manifests. Row-level security
-- is forced on the entries too, so their owner looks through a policy that ends with this file.
create policy limits_backfill on proviso.entry for select to proviso_owner using (true);
insert into proviso.artifact (workspace, prototype, digest, bytes, frozen_at)
select workspace, stream_id, convert_from(bytes, 'UTF8')::jsonb->'body'->'candidate'->'manifest'->>'artifact', 0, max(at)
  from proviso.entry where stream = 'prototype' and kind = 'candidate_frozen' group by 1, 2, 3;
drop policy limits_backfill on proviso.entry;

-- What the collector has weighed in the store; null until it came by.
alter table proviso.evidence add column bytes bigint;

-- Evidence of a workspace on the disk, as counted last.
create table proviso.usage (
  workspace uuid primary key,
  evidence_bytes bigint not null,
  counted_at timestamptz not null
);

-- A place to run a candidate in, or the wish for one; null for promotions that need none now.
alter table proviso.promotion_status add column place text;
create index promotion_status_place on proviso.promotion_status (workspace, ordinal) where open and place is not null;

do $$
declare name text;
begin
  foreach name in array array['artifact', 'usage']
  loop
    execute format('alter table proviso.%I enable row level security', name);
    execute format('alter table proviso.%I force row level security', name);
    execute format('create policy workspace_only on proviso.%I to proviso_app using (workspace = proviso.workspace()) with check (workspace = proviso.workspace())', name);
    execute format('create policy pump_works on proviso.%I to proviso_pump using (true) with check (true)', name);
  end loop;
end $$;
create policy pump_weighs on proviso.evidence for update to proviso_pump using (true) with check (true);

grant select, insert, update on proviso.artifact to proviso_app;
grant select on proviso.usage to proviso_app;
grant select on proviso.artifact to proviso_pump;
grant update (bytes) on proviso.artifact to proviso_pump;
grant update (bytes) on proviso.evidence to proviso_pump;
grant select, insert, update on proviso.usage to proviso_pump;

