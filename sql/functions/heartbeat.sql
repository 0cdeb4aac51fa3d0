-- One call per process keeps its lease and tells it of its jobs. Each job that was named comes back with a verdict:
--   ok      still its own
--   cancel  still its own, and somebody asked for its end: stop and finish it as cancelled
--   budget  still its own, and a budget is spent: no further call is reserved; give it back when the work that is paid for is done
--   lost    no longer its own, or its lease had ended before this call: stop its commands, deliver nothing
-- A job that the worker holds and did not name is one whose claim it never heard of, because the answer was lost: it goes back.
-- The commit does not wait for the disk: a crash may take back a renewal of its last moments, no more.
create or replace function codeteam.heartbeat(worker uuid, job_ids uuid[], attempts integer[])
returns table (job_id uuid, verdict text)
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  unheard jobs;
begin
  if num_nulls(worker, job_ids, attempts) > 0 or array_ndims(job_ids) > 1 or cardinality(job_ids) <> cardinality(attempts)
     or array_position(job_ids, null) is not null or array_position(attempts, null) is not null then
    perform demand(false, 'a heartbeat', format('%s with jobs %s and attempts %s', worker, job_ids, attempts),
      'give the worker, and the ids of its jobs and their attempts in two arrays of the same length');
  end if;
  perform set_config('synchronous_commit', 'off', true);
  if not renew_lease(heartbeat.worker, true) then
    return query select n.job, 'lost' from unnest(heartbeat.job_ids) as n (job);
    return;
  end if;
  for unheard in
    select j.* from jobs j join workers w on w.id = j.worker_id
    where j.state = 'running' and j.worker_id = heartbeat.worker and not j.id = any (heartbeat.job_ids)
      and j.started_at < clock_timestamp() - make_interval(secs => w.lease_ms / 3000.0)
    order by j.group_key -- as in sweep_expired
    for no key update of j skip locked
  loop
    perform give_back(unheard, 'its worker never heard of the claim');
  end loop;
  return query
  select n.job, case when j.id is null then 'lost' when j.cancel_requested then 'cancel'
                     when exists (select from stops_in_force s where s.repo in ('', j.repo)) then 'budget' else 'ok' end
  from unnest(heartbeat.job_ids, heartbeat.attempts) as n (job, attempt)
  left join jobs j on j.id = n.job and j.state = 'running' and j.attempt = n.attempt and j.worker_id = heartbeat.worker;
end
$$;
