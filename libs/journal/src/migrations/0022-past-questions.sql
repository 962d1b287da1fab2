-- Who waited for a word of ours is kept for thirty days: by then GitHub itself has given up every deploy job that waits,
-- and a question that was answered is of no use to anybody. The collector's role sees and removes those rows alone.
create function proviso.question_is_past(asked_at timestamptz, answer text) returns boolean language sql volatile as
  $$ select answer is not null and asked_at < clock_timestamp() - interval '30 days' $$;

create policy pump_sweeps on proviso.question to proviso_pump
  using (proviso.question_is_past(asked_at, answer)) with check (false);
grant select (workspace, id, asked_at, answer), delete on proviso.question to proviso_pump;
