-- Takes back up to `most` jobs whose worker fell silent, and gives their number. Each claim does this first, so that no
-- janitor is needed. Only this database's clock decides; after it came up, nobody's lease counts as expired until one lease
-- time has passed, because nobody could renew while it was down.
create or replace function codeteam.sweep_expired(most integer default 10) returns integer
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  lost  jobs;
  swept integer := 0;
begin
  for lost in
    select j.* from jobs j
    where j.state = 'running'
      and greatest(j.lease_expires_at, pg_postmaster_start_time() + make_interval(secs => j.lease_ms / 1000.0)) <= clock_timestamp()
    limit most for no key update skip locked
  loop
    swept := swept + 1;
    perform append_event(lost.id, lost.attempt, 'lease_expired', jsonb_build_object('worker', lost.worker_id));
    if lost.cancel_requested then
      perform end_job(lost.id, 'cancelled', 'none', 'cancelled', null);
    elsif lost.deaths + 1 >= 3 or lost.failures + lost.deaths + 1 >= lost.max_attempts then
      update jobs set deaths = deaths + 1 where id = lost.id;
      perform end_job(lost.id, 'dead', 'none', 'lost_worker',
        format('%s of its workers fell silent without giving it back', lost.deaths + 1));
    else
      update jobs set deaths = deaths + 1 where id = lost.id;
      perform requeue(lost.id, 0);
    end if;
  end loop;
  return swept;
end
$$;
