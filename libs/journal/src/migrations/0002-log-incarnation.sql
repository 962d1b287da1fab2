-- Positions are counted again from an older number after a restored backup, and then mean other entries. So they are told
-- together with the log's incarnation: drawn, never counted, since the same backup may be restored twice.
create table proviso.log (
  only_one boolean primary key default true check (only_one),
  incarnation text not null,
  -- Where it was numbered last, see log_home.
  home text not null
);

-- This run of the server, this database, this copy of the table. A restored log finds itself in another home: a folder
-- that was put back needs a server that starts, a dump writes a table of its own, a copied database has another number. A
-- server that was only restarted looks the same; then readers begin anew once too often, which costs them one read.
create function proviso.log_home() returns text language sql stable as
  $$ select concat_ws(' ', extract(epoch from pg_postmaster_start_time()), d.oid, pg_relation_filenode('proviso.log'))
       from pg_database d where d.datname = current_database() $$;

insert into proviso.log (incarnation, home) values (replace(gen_random_uuid()::text, '-', ''), proviso.log_home());

-- One log for all workspaces, with nothing of theirs in it; still, without a workspace there is nothing to be seen.
alter table proviso.log enable row level security;
alter table proviso.log force row level security;
create policy workspaces_read on proviso.log for select to proviso_app using (proviso.workspace() is not null);
create policy pump_works on proviso.log to proviso_pump using (true) with check (true);
grant select on proviso.log to proviso_app;
grant select, update on proviso.log to proviso_pump;
