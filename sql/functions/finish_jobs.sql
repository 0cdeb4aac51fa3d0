-- Ends jobs that this worker holds: of each the last events (what was verified and delivered) and the final state in one transaction,
-- so that a job has one result or none. `results` is an array of objects with job, attempt, after_seq, state, outcome, exit_reason, error
-- and events, an array of {"kind", "data"}.
-- Gives each one's state; null when the worker no longer holds it, and nothing was written. Said again after a lost answer, it changes nothing.
create or replace function codeteam.finish_jobs(worker uuid, results jsonb) returns table (job uuid, state text)
language plpgsql volatile security definer set search_path = codeteam, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$ -- as in end_jobs
#variable_conflict use_column
declare
  held record; -- what was asked for of those that this worker holds, and what had ended by the same attempt before, in parallel arrays
begin
  perform check_results(results), demand(worker is not null, 'worker', null, 'name the worker that holds the jobs');
  with given as (
    select * from jsonb_to_recordset(results)
      as r (job uuid, attempt integer, after_seq bigint, state text, outcome text, exit_reason text, error text, events jsonb)
  ), stands as ( -- locked before it is looked: the same call may be under way on a connection that the caller has given up
    select g.*, j.state as is_state, j.finished_at, j.state = 'running' and j.worker_id = finish_jobs.worker as is_held
    from given g join jobs j on j.id = g.job and j.attempt = g.attempt order by j.depth, j.id for no key update of j
  )
  select array_agg(s.job) filter (where s.is_held) as jobs, array_agg(s.attempt) filter (where s.is_held) as attempts,
         array_agg(s.after_seq) filter (where s.is_held) as seqs, array_agg(s.state) filter (where s.is_held) as states,
         array_agg(s.outcome) filter (where s.is_held) as outcomes, array_agg(s.exit_reason) filter (where s.is_held) as exit_reasons,
         array_agg(s.error) filter (where s.is_held) as errors, array_agg(s.events) filter (where s.is_held) as events,
         bool_or(s.events <> '[]') filter (where s.is_held) as tell,
         array_agg(s.job) filter (where s.finished_at is not null) as ended_jobs,
         array_agg(s.is_state) filter (where s.finished_at is not null) as ended_states
  into held from stands s;
  if held.tell then
    -- As write_events() does it for one: what was written by the same call before is not written again.
    insert into events (job_id, seq, attempt, kind, data)
    select r.job, coalesce(l.seq, 0) + e.n, r.attempt, e.event ->> 'kind', e.event -> 'data'
    from unnest(held.jobs, held.attempts, held.seqs, held.events) as r (job, attempt, after_seq, events)
    cross join lateral (select max(v.seq) as seq from events v where v.job_id = r.job) l
    cross join lateral jsonb_array_elements(r.events) with ordinality as e (event, n)
    where not exists (select from events v where v.job_id = r.job and v.seq > r.after_seq and v.attempt = r.attempt);
  end if;
  if held.jobs is not null then
    perform end_jobs(held.jobs, held.states, held.outcomes, held.exit_reasons, held.errors);
  end if;
  return query
  select s.job, s.state from unnest(held.jobs || held.ended_jobs, held.states || held.ended_states) as s (job, state)
  union all
  select (r ->> 'job')::uuid, null from jsonb_array_elements(results) r
  where coalesce(cardinality(held.jobs || held.ended_jobs), 0) < jsonb_array_length(results)
    and ((r ->> 'job')::uuid = any (held.jobs || held.ended_jobs)) is not true;
end
$$;
