-- Whether a commit may go on, as deploy jobs and merge queues at GitHub ask it of us. Nothing is decided by these rows:
-- the answer follows from the promotions of that commit, and a row says only who waits for one.
create table proviso.question (
  workspace uuid not null,
  -- Of what is asked and where: asked again it is the same.
  id text not null,
  kind text not null check (kind in ('rule', 'queue')),
  repository text not null,
  commit text not null,
  environment text,
  run bigint,
  pull integer,
  asked_at timestamptz not null default clock_timestamp(),
  -- What was said on the way to an answer, so that nothing is said twice, and not too often.
  said text,
  said_at timestamptz,
  reports integer not null default 0,
  retry_at timestamptz not null default clock_timestamp(),
  -- What it was answered, or why nothing will come of it.
  answer text,
  primary key (workspace, id)
);
create index question_open on proviso.question (workspace, retry_at) where answer is null;

alter table proviso.question enable row level security;
alter table proviso.question force row level security;
create policy workspace_only on proviso.question to proviso_app
  using (workspace = proviso.workspace()) with check (workspace = proviso.workspace());
grant select, insert, update on proviso.question to proviso_app;
