-- Who outside is told of events. What was decided about them stands in the workspace's entries; here is what delivering
-- needs, none of which decides anything.

-- One row for each webhook, with how far in the log its deliveries are written.
create table proviso.webhook (
  workspace uuid not null,
  id text not null,
  types text[] not null,
  active boolean not null,
  cursor bigint not null,
  primary key (workspace, id)
);

-- Its address (number 0) and its secrets, sealed under the deployment's key. While two secrets hold, both sign.
create table proviso.webhook_sealed (
  workspace uuid not null,
  webhook text not null,
  number integer not null,
  sealed bytea not null,
  ends_at timestamptz,
  primary key (workspace, webhook, number)
);

-- One row for each event and webhook: what is still to be sent, and the log of what was. The event itself is made of its
-- entry at each try, so nothing of it is kept twice.
create table proviso.webhook_delivery (
  workspace uuid not null,
  id text not null default 'dlv_' || replace(gen_random_uuid()::text, '-', ''),
  webhook text not null,
  -- Ids are drawn, so the order of the log has a number of its own.
  ordinal bigint generated always as identity,
  position bigint not null,
  type text not null,
  -- Of one subject nothing is sent before what came earlier.
  subject text not null,
  state text not null check (state in ('waiting', 'delivered', 'given_up', 'stopped')),
  attempts integer not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  due_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  status integer,
  failure text,
  primary key (workspace, id)
);
create index webhook_delivery_newest on proviso.webhook_delivery (workspace, webhook, ordinal desc);
create index webhook_delivery_waiting on proviso.webhook_delivery (workspace, webhook, ordinal) where state = 'waiting';
create index webhook_delivery_ended on proviso.webhook_delivery (workspace, webhook, ended_at) where ended_at is not null;

do $$
declare name text;
begin
  foreach name in array array['webhook', 'webhook_sealed', 'webhook_delivery']
  loop
    execute format('alter table proviso.%I enable row level security', name);
    execute format('alter table proviso.%I force row level security', name);
    execute format('create policy workspace_only on proviso.%I to proviso_app using (workspace = proviso.workspace()) with check (workspace = proviso.workspace())', name);
    execute format('grant select, insert, update, delete on proviso.%I to proviso_app', name);
  end loop;
  -- The pump finds who has something to do, and never sees an address or a secret.
  foreach name in array array['webhook', 'webhook_delivery']
  loop
    execute format('create policy pump_reads on proviso.%I for select to proviso_pump using (true)', name);
    execute format('grant select on proviso.%I to proviso_pump', name);
  end loop;
end $$;

-- One leader more. Row-level security is forced on them too, so their owner writes through a policy that ends here.
create policy courier_joins on proviso.leader for insert to proviso_owner with check (true);
insert into proviso.leader (name, epoch) values ('courier', 0);
drop policy courier_joins on proviso.leader;
