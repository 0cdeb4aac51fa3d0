-- A worker process says that it is there, and how long its lease is to last without a word from it.
create or replace function codeteam.register_worker(
  worker uuid, mode text, host text, pid integer, version text, sandbox text, lease_ms integer
) returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select check_mode(mode), demand(worker is not null, 'worker', null, 'give an id of its own'),
         demand(lease_ms between 1 and 3600000, 'lease_ms', lease_ms::text, 'give milliseconds from 1 to 3600000'),
         demand(num_nulls(host, pid, version, sandbox) = 0, 'a worker', 'without host, pid, version or sandbox', 'say all four');
  -- Who holds a job stays until a sweep has taken it back: only this row says whose it is.
  delete from workers w
  where w.heartbeat_at < now() - interval '1 day' and not exists (select from jobs j where j.state = 'running' and j.worker_id = w.id);
  insert into workers (id, mode, host, pid, version, sandbox, lease_ms, lease_expires_at)
  values (worker, mode, host, pid, version, sandbox, lease_ms, clock_timestamp() + make_interval(secs => lease_ms / 1000.0))
  on conflict (id) do update set heartbeat_at = clock_timestamp();
$$;

-- A worker process says that it goes. What it still holds, because the answer of a claim was lost, goes back.
create or replace function codeteam.retire_worker(worker uuid) returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  unheard jobs;
begin
  perform demand(worker is not null, 'worker', null, 'name the worker that goes');
  delete from sleepers s where s.sleeper = retire_worker.worker;
  update workers w set stopped_at = clock_timestamp() where w.id = retire_worker.worker;
  for unheard in
    select j.* from jobs j where j.state = 'running' and j.worker_id = retire_worker.worker
    order by j.group_key for no key update skip locked -- as in sweep_expired
  loop
    perform give_back(unheard, 'its worker went without it');
  end loop;
end
$$;
