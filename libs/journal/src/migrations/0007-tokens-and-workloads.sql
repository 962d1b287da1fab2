-- The day on which a token was used last, so that nobody keeps one that nothing needs. A day and not a moment: it is
-- written at most once a day by each process, and tells nothing about anybody's working hours.
alter table proviso.token add column used_on date;
grant update (used_on) on proviso.token to proviso_app;

-- All that is held about one person, for whoever asks to see it.
create index vault_person on proviso.vault (workspace, person);

-- By which keyed digests of addresses and accounts a person is known as the author of a commit. No address is in here, and
-- without the deployment's key none can be tried.
create table proviso.author_mark (
  workspace uuid not null,
  mark text not null,
  person text not null,
  primary key (workspace, mark, person)
);
create index author_mark_person on proviso.author_mark (workspace, person);
alter table proviso.author_mark enable row level security;
alter table proviso.author_mark force row level security;
create policy workspace_only on proviso.author_mark to proviso_app
  using (workspace = proviso.workspace()) with check (workspace = proviso.workspace());
grant select, insert, delete on proviso.author_mark to proviso_app;
