-- The workers that hold a job and must not be stopped: for scalers that were started before observe() told it.
create or replace function codeteam.busy_workers() returns setof uuid
language sql stable security definer set search_path = codeteam, pg_temp as $$
  select distinct worker_id from jobs where state = 'running'
$$;

-- Those of `among` that hang: their lease ran out, and yet they hold a job. An idle worker keeps no lease, but is heard of
-- every 36 s at the latest; one that was silent for two minutes hangs, too. While this database was down nobody could be heard.
-- Not in SQL, which would be planned anew for each observe().
create or replace function codeteam.silent_workers(among uuid[]) returns setof uuid
language plpgsql stable security definer set search_path = codeteam, pg_temp as $$
begin
  perform demand(array_position(among, null) is null and among is not null, 'among', among::text, 'give an array of workers'' ids');
  return query
  select w.id from workers w
  where w.id = any (among)
    and (lease_ends(w) <= now() and exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
         or heard_at(w) <= now() - lost_after());
end
$$;
