-- Claims up to `most` jobs of `mode` for one worker: the highest priority first, then fair across repositories, then the oldest.
-- Gives what is asked for, the fencing token (attempt) and the seq of the event that says so. Nothing: no row.
-- First it takes back what silent workers hold and puts into line what has become due or whose budget has opened, so that no janitor
-- is needed.
--   lost_calls, lost_tokens, lost_micros  calls of earlier attempts whose answers nobody has, at their worst case
-- The commit does not wait for the disk: the worker's first durable write takes the claim with it, and a claim that a crash
-- of the server takes back has had no effect.
-- QJ006 unknown_worker: not registered. QJ007 invalid input: no mode, or `most` not from 1 to 1000. QJ009 isolation: not at READ COMMITTED.
create or replace function codeteam.claim_jobs(worker uuid, mode text, most integer default 1)
returns table (
  id uuid, attempt integer, seq bigint, failures smallint, task text, repo text, base text, prompt text, test_command text, model text,
  step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint,
  lost_calls integer, lost_tokens bigint, lost_micros bigint
)
language plpgsql volatile security definer set search_path = codeteam, pg_temp
set plan_cache_mode = force_generic_plan as $$ -- planned once a session, also what it calls
#variable_conflict use_column
declare
  about workers;
  swept integer := 0;
  taken uuid[];
begin
  if (mode in ('mechanic', 'genius') and most between 1 and 1000) is not true then
    perform check_mode(mode);
    perform demand(false, 'most', most::text, 'give a number from 1 to 1000');
  end if;
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'jobs are claimed at READ COMMITTED only' using errcode = 'QJ009',
      hint = 'set default_transaction_isolation to ''read committed'' for this role';
  end if;
  perform set_config('synchronous_commit', 'off', true);
  if exists (select from workers w where w.stopped_at is null and lease_ends(w) <= clock_timestamp()) then
    swept := sweep_expired();
  end if;
  -- A lease that has just been renewed is left alone: a quick worker claims much more often than it must be heard of.
  select w.* into about from workers w where w.id = claim_jobs.worker;
  if not found then
    raise exception 'there is no worker %', worker using errcode = 'QJ006', hint = 'register_worker comes first';
  elsif about.stopped_at is not null
     or about.lease_expires_at < clock_timestamp() + make_interval(secs => about.lease_ms / 1500.0) then
    perform renew_lease(claim_jobs.worker, false);
  end if;
  taken := take_jobs(claim_jobs.worker, mode, most, swept > 0);
  if taken = '{}' then
    return;
  end if;
  delete from sleepers s where s.topic = claim_jobs.mode and s.sleeper = claim_jobs.worker;
  return query
  with claimed as (
    update jobs j
    set state = 'running', attempt = j.attempt + 1, worker_id = claim_jobs.worker, started_at = clock_timestamp()
    where j.id = any (taken)
    returning j.*
  ), told as (
    insert into events as e (job_id, seq, attempt, kind, data)
    select c.id, 1 + coalesce((select max(e.seq) from events e where e.job_id = c.id), 0), c.attempt, 'claimed',
           jsonb_build_object('worker', claim_jobs.worker, 'sandbox', about.sandbox)
    from claimed c
    returning e.job_id, e.seq
  )
  select c.id, c.attempt, t.seq, c.failures, c.task, c.repo, c.base, c.prompt, c.test_command, c.model,
         c.step_cap, c.token_cap, c.time_limit_ms, c.cost_cap_micros, l.calls, l.tokens, l.micros
  from claimed c join told t on t.job_id = c.id
  cross join lateral (
    select count(*)::integer, coalesce(sum(k.worst_tokens), 0)::bigint, coalesce(sum(k.cost_micros), 0)::bigint
    from calls k where c.attempt > 1 and k.job_id = c.id and k.attempt > c.fresh_after and k.basis = 'worst_case'
  ) as l (calls, tokens, micros);
  perform ring(array['events']);
end
$$;
