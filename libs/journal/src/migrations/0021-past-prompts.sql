-- Which message stands where is kept for thirty days after the last that happened to a promotion that has ended: by then
-- each copy says how it ended, has no button, and nobody changes it any more. The collector's role sees and removes those
-- rows and no others, so no mistake of it makes a message that is still to change unknown.
create function proviso.prompt_is_past(of_workspace uuid, of_promotion text) returns boolean language sql volatile as
  $$ select exists (
       select 1 from proviso.stream s join proviso.promotion_status p on p.workspace = s.workspace and p.id = s.id
        where s.workspace = of_workspace and s.kind = 'promotion' and s.id = of_promotion
          and not p.open and s.updated_at < clock_timestamp() - interval '30 days') $$;

create policy pump_sweeps on proviso.prompt to proviso_pump using (proviso.prompt_is_past(workspace, promotion)) with check (false);
grant select (workspace, channel, key, promotion), delete on proviso.prompt to proviso_pump;
