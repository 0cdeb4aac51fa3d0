-- A queued job gets into line. With its_place, at the head of it: somebody had claimed it and gives it back unharmed. It stands next to
-- the first one there, so that newcomers are measured by the same round as before. Internal.
create or replace function codeteam.line_up(job uuid, its_place boolean default false) returns void
language plpgsql volatile
set enable_sort = off set jit = off as $$ -- as in jobs_arrive
begin
  perform pg_current_xact_id(); -- before it looks: advance_line() waits for those who have one
  if current_setting('transaction_isolation') <> 'read committed' then
    -- What an old snapshot says of the line is stale: whoever claims next puts it there.
    update jobs j set waits_for = 'time', run_at = least(j.run_at, now()) where j.id = line_up.job and j.state = 'queued';
    return;
  end if;
  update jobs j
  set waits_for = null,
      turn = case when its_place
             then (select greatest(l.next_start, coalesce(
                     (select f.turn - 1 from jobs f
                      where f.state = 'queued' and f.waits_for is null and line_of(f.mode, f.priority) = line_of(l.mode, l.priority)
                        and f.turn >= l.starts_at and f.id <> j.id
                      order by f.turn limit 1), j.turn))
                   from line_beginnings l where l.mode = j.mode and l.priority = j.priority)
             else next_turn((select t.turn from last_turn(j.mode, j.priority, j.repo) t), j.mode, j.priority) end
  where j.id = line_up.job and j.state = 'queued';
end
$$;

-- Those of a mode whose time has come get into line, the longest due first, up to `most`. Claims do it first, so that no clock is needed.
create or replace function codeteam.line_up_due(mode text, most integer default 100) returns void
language plpgsql volatile as $$
declare
  due uuid;
begin
  for due in
    select j.id from jobs j
    where j.mode = line_up_due.mode and j.waits_for = 'time' and j.run_at <= now()
    order by j.run_at limit most for no key update skip locked
  loop
    perform line_up(due);
  end loop;
end
$$;
