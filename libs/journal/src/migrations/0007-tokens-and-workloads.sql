-- The day on which a token was used last, so that nobody keeps one that nothing needs. A day and not a moment: it is
-- written at most once a day by each process, and tells nothing about anybody's working hours.
alter table proviso.token add column used_on date;
grant update (used_on) on proviso.token to proviso_app;

-- All that is held about one person, for whoever asks to see it.
create index vault_person on proviso.vault (workspace, person);
