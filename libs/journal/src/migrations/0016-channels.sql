-- Where messages of ours stand in other people's places (a conversation of Slack, a commit at GitHub), and how far each
-- channel has read the public order. There is no second outbox: what a message should say follows from its promotion, and
-- its row says only which copy exists, and whether that copy is behind.

-- One process at a time follows for a channel: whoever holds the lease, under an epoch that only grows. Position and
-- incarnation are null until the first turn.
create table proviso.follower (
  workspace uuid not null,
  channel text not null,
  holder text not null,
  epoch bigint not null,
  leased_until timestamptz not null,
  incarnation text,
  position bigint,
  primary key (workspace, channel)
);

create table proviso.prompt (
  workspace uuid not null,
  channel text not null,
  -- What it is about and where: one row is one copy.
  key text not null,
  -- Drawn at random; what is pressed on a copy names it by this.
  token text not null,
  promotion text not null,
  conversation text not null,
  -- The key of the copy in whose thread it stands.
  thread text,
  -- Said once and never changed, such as a reminder.
  once boolean not null,
  -- Its id over there; null until it was posted.
  address text,
  -- A posting was begun whose end is not known: before another one somebody must look.
  posting_since timestamptz,
  -- Grows whenever something happened to its promotion; behind is what shows less.
  wanted integer not null default 1,
  shown integer not null default 0,
  -- The promotion's revision that it shows, and a digest of what was drawn.
  revision integer,
  drawn text,
  -- Its promotion has ended, and this says so.
  final boolean not null default false,
  tries integer not null default 0,
  retry_at timestamptz not null default clock_timestamp(),
  -- Why nothing more is tried, such as a message that somebody deleted.
  given_up text,
  primary key (workspace, channel, key)
);
create unique index prompt_token on proviso.prompt (workspace, token);
create index prompt_promotion on proviso.prompt (workspace, channel, promotion);
create index prompt_behind on proviso.prompt (workspace, channel, retry_at) where wanted > shown and given_up is null;

do $$
declare name text;
begin
  foreach name in array array['follower', 'prompt']
  loop
    execute format('alter table proviso.%I enable row level security', name);
    execute format('alter table proviso.%I force row level security', name);
    execute format('create policy workspace_only on proviso.%I to proviso_app using (workspace = proviso.workspace()) with check (workspace = proviso.workspace())', name);
  end loop;
end $$;
grant select, insert, update on proviso.follower, proviso.prompt to proviso_app;
