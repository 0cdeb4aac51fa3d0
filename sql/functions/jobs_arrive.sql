-- Each new job: whether it can be, what it waits for, or its turn in line; and the doorbell, if somebody sleeps. ring.sql says why looking is enough:
-- the transaction has its id before it looks, which next_turn() takes care of.
-- Above READ COMMITTED the snapshot is an old one: what it says of the line is stale, so the job is put into line by whoever claims next.
create or replace function codeteam.jobs_arrive() returns trigger
language plpgsql volatile security definer set search_path = codeteam, pg_temp
set plan_cache_mode = force_generic_plan as $$ -- as in claim_jobs
begin
  if new.state <> 'queued' then
    return new; -- the owner restores what was finished elsewhere
  end if;
  perform check_job(new);
  if new.after <> '{}' then
    new.waits_for := 'jobs'; -- see after_arrive.sql
    new.depth := after_depth(new.id, new.after);
    return new;
  elsif new.run_at > now() or current_setting('transaction_isolation') <> 'read committed' then
    new.waits_for := 'time';
    perform pg_current_xact_id();
  elsif exists (select from stops_in_force s where s.repo = new.repo) then
    new.waits_for := 'budget';
    return new; -- nobody is woken: see budget_stops.sql
  else
    new.waits_for := null;
    new.turn := next_turn(new.mode, new.priority, new.repo);
  end if;
  perform ring(array[new.mode, 'scaler']);
  return new;
end
$$;

create or replace trigger arrive before insert on codeteam.jobs for each row execute function codeteam.jobs_arrive();
