-- One call per process renews all its leases. Each job that was named comes back with a verdict:
--   ok      renewed
--   cancel  renewed, and somebody asked for its end: stop and finish it as cancelled
--   lost    no longer this worker's: stop its commands, deliver nothing
-- The commit does not wait for the disk: after a crash every lease is good for one more lease time anyway.
create or replace function codeteam.heartbeat(worker uuid, job_ids uuid[], attempts integer[])
returns table (job_id uuid, verdict text)
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  update workers w set heartbeat_at = clock_timestamp() where w.id = heartbeat.worker;
  return query
  with named as (
    select n.job, n.attempt from unnest(heartbeat.job_ids, heartbeat.attempts) as n (job, attempt)
  ), renewed as (
    update jobs j set lease_expires_at = clock_timestamp() + make_interval(secs => j.lease_ms / 1000.0)
    from named n
    where j.id = n.job and j.state = 'running' and j.attempt = n.attempt and j.worker_id = heartbeat.worker
    returning j.id, j.cancel_requested
  )
  select n.job, case when r.id is null then 'lost' when r.cancel_requested then 'cancel' else 'ok' end
  from named n left join renewed r on r.id = n.job;
end
$$;
