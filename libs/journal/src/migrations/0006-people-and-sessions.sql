-- Who signs in, and in which browsers. The journal's entries say which account belongs to whom; these rows are what a
-- sign-in is looked up by, before a workspace is known.

-- An account elsewhere belongs to one person at most, in one workspace. Subjects only as digests under the vault key.
create table proviso.identity (
  issuer text not null,
  subject text not null,
  workspace uuid not null,
  person text not null,
  primary key (issuer, subject)
);
create index identity_person on proviso.identity (workspace, person);

-- A browser in which somebody is signed in: the hash of what its cookie holds. Times are the database's alone.
create table proviso.session (
  hash text primary key,
  id text not null unique,
  workspace uuid not null,
  person text not null,
  -- When the person last proved who they are, as the provider says; null when it does not say.
  authenticated_at timestamptz,
  opened_at timestamptz not null,
  seen_at timestamptz not null
);
create index session_person on proviso.session (workspace, person, opened_at desc);

do $$
declare name text;
begin
  foreach name in array array['identity', 'session']
  loop
    execute format('alter table proviso.%I enable row level security', name);
    execute format('alter table proviso.%I force row level security', name);
    execute format('create policy workspace_only on proviso.%I to proviso_app using (workspace = proviso.workspace()) with check (workspace = proviso.workspace())', name);
    execute format('create policy owner_looks_up on proviso.%I for select to proviso_owner using (true)', name);
  end loop;
end $$;
grant select, insert, delete on proviso.identity to proviso_app;
grant select, insert, delete on proviso.session to proviso_app;
grant update (seen_at) on proviso.session to proviso_app;

create function proviso.principal_of_identity(its_issuer text, its_subject text)
  returns table (workspace uuid, person text)
  language sql stable security definer set search_path = proviso, pg_temp as
  $$ select i.workspace, i.person from proviso.identity i where i.issuer = its_issuer and i.subject = its_subject $$;
revoke all on function proviso.principal_of_identity(text, text) from public;
grant execute on function proviso.principal_of_identity(text, text) to proviso_app;

-- A session that was not used for a working day is over, and each is over after a day.
create function proviso.session_holds(opened_at timestamptz, seen_at timestamptz) returns boolean language sql volatile as
  $$ select seen_at > clock_timestamp() - interval '8 hours' and opened_at > clock_timestamp() - interval '24 hours' $$;

create function proviso.principal_of_session(session_hash text)
  returns table (workspace uuid, person text, id text, authenticated_at timestamptz, idle interval)
  language sql volatile security definer set search_path = proviso, pg_temp as
  $$ select s.workspace, s.person, s.id, s.authenticated_at, clock_timestamp() - s.seen_at
       from proviso.session s where s.hash = session_hash and proviso.session_holds(s.opened_at, s.seen_at) $$;
revoke all on function proviso.principal_of_session(text) from public;
grant execute on function proviso.principal_of_session(text) to proviso_app;
