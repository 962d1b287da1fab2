-- What lets nobody in any more goes: a token thirty days after its end, so that its person can still see when it was used
-- last; a session two days after its sign-in, when it has been over for a day. The collector's role sees and removes
-- those rows and no others, so no mistake of it signs anybody out.
create function proviso.token_is_past(expires_at timestamptz) returns boolean language sql volatile as
  $$ select expires_at < clock_timestamp() - interval '30 days' $$;
create function proviso.session_is_past(opened_at timestamptz) returns boolean language sql volatile as
  $$ select opened_at < clock_timestamp() - interval '2 days' $$;

create policy pump_sweeps on proviso.token to proviso_pump using (proviso.token_is_past(expires_at)) with check (false);
create policy pump_sweeps on proviso.session to proviso_pump using (proviso.session_is_past(opened_at)) with check (false);
grant select (hash, expires_at), delete on proviso.token to proviso_pump;
grant select (hash, opened_at), delete on proviso.session to proviso_pump;
