-- Gives the worker the next job of its mode, or no row. Highest priority first, then the oldest.
-- The attempt that comes back is the fencing token: every later write names job, attempt and worker.
-- lost_calls, lost_tokens and lost_micros are calls of earlier attempts whose answers nobody has, at their worst case.
-- The commit does not wait for the disk: a claim that a crash undoes had no effect yet, because the first durable write under it
-- would have flushed it along.
-- A worker that got a job is awake, so its registration as a sleeper goes; one that got none goes on to doze().
-- QJ006 unknown_worker: it never registered.
create or replace function codeteam.claim_job(worker uuid, mode text)
returns table (id uuid, attempt integer, seq bigint, failures smallint, task text, repo text, base text, prompt text, test_command text,
               model text, step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint,
               lost_calls integer, lost_tokens bigint, lost_micros bigint)
language plpgsql volatile security definer set search_path = codeteam, pg_temp
-- The queue's indexes have its order. A planner that takes few jobs for many, or many for few, must not sort the whole queue.
set enable_sort = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  claimed   jobs;
  claim_seq bigint; -- of the event that says so: the last that the worker knows of
  about     workers;
  rank      integer := 32768; -- above every priority
begin
  perform set_config('synchronous_commit', 'off', true);
  if exists (select from workers w where w.stopped_at is null and lease_ends(w) <= clock_timestamp()) then
    perform sweep_expired();
  end if;
  -- A lease that has just been renewed is left alone: a quick worker claims much more often than it must be heard of.
  select w.* into about from workers w where w.id = claim_job.worker;
  if not found then
    raise exception 'there is no worker %', worker using errcode = 'QJ006', hint = 'register_worker comes first';
  elsif about.stopped_at is not null
     or about.lease_expires_at < clock_timestamp() + make_interval(secs => about.lease_ms / 1500.0) then
    perform renew_lease(claim_job.worker, false);
  end if;
  -- One priority after the other, so that jobs whose time has not come stand in nobody's way, however many and urgent they are.
  loop
    select j.priority into rank from jobs j
    where j.state = 'queued' and j.mode = claim_job.mode and j.priority < rank
    order by j.priority desc limit 1;
    if not found then
      return;
    end if;
    -- Materialised: inlined into the update, the planner may lock more rows than the limit says.
    with next as materialized (
      select c.id from claimable c
      where c.mode = claim_job.mode and c.priority = rank
      order by c.run_at, c.id
      limit 1 for no key update skip locked
    )
    update jobs j
    set state = 'running', attempt = j.attempt + 1, worker_id = claim_job.worker, started_at = clock_timestamp()
    from next where j.id = next.id
    returning j.* into claimed;
    exit when found;
  end loop;
  claim_seq := append_event(claimed.id, claimed.attempt, 'claimed', jsonb_build_object('worker', claim_job.worker, 'sandbox', about.sandbox));
  delete from sleepers s where s.topic = claim_job.mode and s.sleeper = claim_job.worker;
  if claimed.attempt > 1 then
    select count(*), coalesce(sum(c.worst_tokens), 0), coalesce(sum(c.cost_micros), 0)
    into claim_job.lost_calls, claim_job.lost_tokens, claim_job.lost_micros
    from calls c where c.job_id = claimed.id and c.attempt > claimed.fresh_after and c.basis = 'worst_case';
  else
    claim_job.lost_calls := 0;
    claim_job.lost_tokens := 0;
    claim_job.lost_micros := 0;
  end if;
  return query select claimed.id, claimed.attempt, claim_seq, claimed.failures, claimed.task, claimed.repo, claimed.base, claimed.prompt,
    claimed.test_command, claimed.model, claimed.step_cap, claimed.token_cap, claimed.time_limit_ms, claimed.cost_cap_micros,
    claim_job.lost_calls, claim_job.lost_tokens, claim_job.lost_micros;
end
$$;
