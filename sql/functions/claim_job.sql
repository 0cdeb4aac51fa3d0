-- Gives the worker the next job of its mode under a new lease, or no row. Highest priority first, then the oldest.
-- The attempt that comes back is the fencing token: every later write names job, attempt and worker.
-- lost_calls, lost_tokens and lost_micros are calls of earlier attempts whose answers nobody has, at their worst case.
-- The commit does not wait for the disk: a claim that a crash undoes had no effect yet, because the first durable write under it
-- would have flushed it along.
-- A worker that got a job is awake, so its registration as a sleeper goes; one that got none goes on to doze().
create or replace function codeteam.claim_job(worker uuid, mode text, lease_ms integer)
returns table (id uuid, attempt integer, seq bigint, failures smallint, task text, repo text, base text, prompt text, test_command text,
               model text, step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint,
               lost_calls integer, lost_tokens bigint, lost_micros bigint)
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
#variable_conflict use_column
declare
  claimed   jobs;
  claim_seq bigint; -- of the event that says so: the last that the worker knows of
begin
  perform set_config('synchronous_commit', 'off', true);
  perform sweep_expired();
  -- Materialised: inlined into the update, the planner may lock more rows than the limit says.
  with next as materialized (
    select j.id from jobs j
    where j.state = 'queued' and j.mode = claim_job.mode and j.run_at <= clock_timestamp()
    order by j.priority desc, j.run_at, j.id
    limit 1 for no key update skip locked
  )
  update jobs j
  set state = 'running', attempt = j.attempt + 1, worker_id = claim_job.worker, lease_ms = claim_job.lease_ms,
      lease_expires_at = clock_timestamp() + make_interval(secs => claim_job.lease_ms / 1000.0),
      started_at = clock_timestamp()
  from next where j.id = next.id
  returning j.* into claimed;
  if not found then
    return;
  end if;
  claim_seq := append_event(claimed.id, claimed.attempt, 'claimed', jsonb_build_object('worker', claim_job.worker));
  delete from sleepers s where s.topic = claim_job.mode and s.sleeper = claim_job.worker;
  return query select claimed.id, claimed.attempt, claim_seq, claimed.failures, claimed.task, claimed.repo, claimed.base, claimed.prompt,
    claimed.test_command, claimed.model, claimed.step_cap, claimed.token_cap, claimed.time_limit_ms, claimed.cost_cap_micros,
    count(*)::integer, coalesce(sum(c.worst_tokens), 0)::bigint, coalesce(sum(c.cost_micros), 0)::bigint
  from calls c where c.job_id = claimed.id and c.attempt > claimed.fresh_after and c.basis = 'worst_case';
end
$$;
