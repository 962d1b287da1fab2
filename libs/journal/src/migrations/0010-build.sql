-- What builds take of a workspace: the files that they leave, and how many of them begin in a day.

-- One row for each try of a build. It is a hundred bytes beside the documents of that build, which stay for good too.
create table proviso.build (
  workspace uuid not null,
  promotion text not null,
  attempt integer not null,
  at timestamptz not null,
  primary key (workspace, promotion, attempt)
);
create index build_at on proviso.build (workspace, at);

alter table proviso.build enable row level security;
alter table proviso.build force row level security;
create policy workspace_only on proviso.build to proviso_app using (workspace = proviso.workspace()) with check (workspace = proviso.workspace());
grant select, insert on proviso.build to proviso_app;

-- What was built before has no row, so it was neither counted nor let go; the collector tells its size when it reads its
-- manifest. Whose it is stands in the promotion's first entry. Row-level security is forced on the entries too, so their
-- owner looks through a policy that ends with this file.
create policy build_backfill on proviso.entry for select to proviso_owner using (true);
create policy build_backfill on proviso.artifact for insert to proviso_owner with check (true);
create policy build_backfill_looks on proviso.artifact for select to proviso_owner using (true);
insert into proviso.artifact (workspace, prototype, digest, bytes, frozen_at)
select b.workspace, convert_from(o.bytes, 'UTF8')::jsonb->'body'->>'prototype', convert_from(b.bytes, 'UTF8')::jsonb->'body'->>'artifact', 0, max(b.at)
  from proviso.entry b join proviso.entry o on o.workspace = b.workspace and o.stream = b.stream and o.stream_id = b.stream_id and o.sseq = 1
 where b.stream = 'promotion' and b.kind = 'artifact_built' group by 1, 2, 3
on conflict (workspace, prototype, digest) do nothing;
drop policy build_backfill on proviso.entry;
drop policy build_backfill on proviso.artifact;
drop policy build_backfill_looks on proviso.artifact;
