-- Ends jobs that this worker holds: of each the last events (what was verified and delivered) and the final state in one transaction,
-- so that a job has one result or none. `results` is an array of objects with job, attempt, after_seq, state, outcome, exit_reason, error
-- and events, an array of {"kind", "data"}.
-- Gives each one's state; null when the worker no longer holds it, and nothing was written. Said again after a lost answer, it changes nothing.
create or replace function codeteam.finish_jobs(worker uuid, results jsonb) returns table (job uuid, state text)
language plpgsql volatile security definer set search_path = codeteam, pg_temp
set plan_cache_mode = force_generic_plan as $$ -- as in claim_jobs
#variable_conflict use_column
declare
  held jsonb;
begin
  perform check_results(results), demand(worker is not null, 'worker', null, 'name the worker that holds the jobs');
  -- Locked before it is looked: the same call may be under way on a connection that the caller has given up.
  perform from jobs j
  where j.id in (select (r ->> 'job')::uuid from jsonb_array_elements(results) r) order by j.depth, j.id for no key update;
  select jsonb_agg(r) into held from jsonb_array_elements(results) r
  join jobs j on j.id = (r ->> 'job')::uuid and j.attempt = (r ->> 'attempt')::integer
  where j.state = 'running' and j.worker_id = finish_jobs.worker;
  if held is not null then
    insert into events (job_id, seq, attempt, kind, data)
    select r.job, coalesce(l.seq, 0) + e.n, r.attempt, e.event ->> 'kind', e.event -> 'data'
    from jsonb_to_recordset(held) as r (job uuid, attempt integer, after_seq bigint, events jsonb)
    cross join lateral (select max(v.seq) as seq from events v where v.job_id = r.job) l
    cross join lateral jsonb_array_elements(r.events) with ordinality as e (event, n)
    where not exists (select from events v where v.job_id = r.job and v.seq > r.after_seq and v.attempt = r.attempt);
    perform end_jobs(array_agg(r.job), array_agg(r.state), array_agg(r.outcome), array_agg(r.exit_reason), array_agg(r.error))
    from jsonb_to_recordset(held) as r (job uuid, state text, outcome text, exit_reason text, error text);
  end if;
  return query
  select r.job, case when j.finished_at is not null then j.state end
  from jsonb_to_recordset(results) as r (job uuid, attempt integer)
  left join jobs j on j.id = r.job and j.attempt = r.attempt;
end
$$;
