-- Takes back up to `most` jobs whose workers fell silent, and gives their number. Each claim does this first, so that no
-- janitor is needed. Only this database's clock decides; after it came up, nobody's lease counts as expired until one lease
-- time has passed, because nobody could renew while it was down.
create or replace function codeteam.sweep_expired(most integer default 10) returns integer
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  silent uuid[];
  lost   jobs;
  swept  integer := 0;
begin
  perform check_most(most);
  -- A heartbeat that comes meanwhile waits for these rows, or this skips them: a worker is silent or not, never both.
  silent := array(
    select w.id from workers w
    where lease_ends(w) <= clock_timestamp() -- of one that has stopped, too: its last claim may have come later
      and exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
    for no key update skip locked);
  -- Groups' locks are taken in the order of their keys, or two sweeps could wait for each other.
  for lost in
    select j.* from jobs j where j.state = 'running' and j.worker_id = any (silent)
    order by j.group_key limit most for no key update skip locked
  loop
    swept := swept + 1;
    perform append_event(lost.id, lost.attempt, 'lease_expired', jsonb_build_object('worker', lost.worker_id));
    update jobs set deaths = deaths + 1 where id = lost.id;
    perform end_attempt(lost.id, true, 0, 'lost_worker', 'its worker fell silent without giving it back');
  end loop;
  -- A worker that has been silent for so long is gone. Should it come back, its next word says so.
  with gone as (
    update workers set stopped_at = heartbeat_at
    where id in (
      select w.id from workers w
      where w.stopped_at is null and heard_at(w) < clock_timestamp() - lost_after()
        and not exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
      for no key update skip locked)
    returning id, mode
  ), counted as (
    insert into measurements (mode, what, value) select g.mode, 'worker_lost', 1 from gone g
  )
  insert into fleet_events (kind, mode, subject, message)
  select 'worker_lost', g.mode, g.id, format('worker %s was not heard of for two minutes: it is taken for dead', g.id) from gone g;
  return swept;
end
$$;
