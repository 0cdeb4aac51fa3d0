-- Each new job: whether it can be, what it waits for, or its turn in line; and the doorbell, if somebody sleeps. ring.sql says why looking is enough:
-- the transaction has its id before it looks.
-- Above READ COMMITTED the snapshot is an old one: what it says of the line is stale, so the job is put into line by whoever claims next.
-- Every insert pays for each query here, so an ordinary one makes one only.
create or replace function codeteam.jobs_arrive() returns trigger
language plpgsql volatile security definer set search_path = codeteam, pg_temp
-- Plans: see ARCHITECTURE.md. A sort would read all that is in line while the table looks empty.
set plan_cache_mode = force_generic_plan set enable_sort = off set jit = off as $$
declare
  wrong    text;
  own_id   xid8;
  last     bigint; -- turn of its repository
  stopped  boolean; -- whether any budget is spent
  sleeping boolean; -- whether anybody is to be rung for
begin
  if new.state <> 'queued' then
    return new; -- the owner restores what was finished elsewhere
  end if;
  wrong := wrong_with(new);
  if wrong is not null then
    raise exception '%', wrong using errcode = 'QJ007';
  end if;
  if new.after <> '{}' then
    new.waits_for := 'jobs'; -- see after_arrive.sql
    new.depth := after_depth(new.id, new.after);
    return new;
  end if;
  own_id := pg_current_xact_id(); -- before the look. (Assigned, because PERFORM is a query of its own.)
  select l.turn, exists (select from budget_stops), exists (select from sleepers) into last, stopped, sleeping
  from last_turn(new.mode, new.priority, new.repo) l;
  if new.run_at > now() or current_setting('transaction_isolation') <> 'read committed' then
    new.waits_for := 'time';
    sleeping := true; -- this snapshot may be an old one: ring() decides
  elsif stopped and exists (select from stops_in_force s where s.repo = new.repo) then
    new.waits_for := 'budget';
    return new; -- nobody is woken: see budget_stops.sql
  else
    new.waits_for := null;
    new.turn := next_turn(last, new.mode, new.priority);
  end if;
  if sleeping then
    perform ring(array[new.mode, 'scaler']);
  end if;
  return new;
end
$$;

create or replace trigger arrive before insert on codeteam.jobs for each row execute function codeteam.jobs_arrive();
