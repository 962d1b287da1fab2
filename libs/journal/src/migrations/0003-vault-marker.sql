-- Something sealed under the deployment's vault key before anything else is, so that a wrong key is noticed at the start.
-- One row of the whole deployment: it carries no workspace and nothing of anybody.
create table proviso.vault_marker (
  one boolean primary key default true check (one),
  sealed bytea not null
);
alter table proviso.vault_marker enable row level security;
alter table proviso.vault_marker force row level security;
create policy app_marks on proviso.vault_marker to proviso_app using (true) with check (true);
create policy owner_samples on proviso.vault_marker for select to proviso_owner using (true);
grant insert on proviso.vault_marker to proviso_app;

-- Anything the right key opens: the marker or, where people were sealed before there was one, any wrapped key.
create policy owner_samples on proviso.vault_key for select to proviso_owner using (true);
create function proviso.vault_sample() returns bytea
  language sql stable security definer set search_path = proviso, pg_temp as
  $$ select coalesce((select m.sealed from proviso.vault_marker m), (select k.wrapped from proviso.vault_key k limit 1)) $$;
revoke all on function proviso.vault_sample() from public;
grant execute on function proviso.vault_sample() to proviso_app;
