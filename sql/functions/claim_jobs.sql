-- The calls of a job's attempts after `fresh_after` whose answers nobody has, at their worst case. Internal.
create or replace function codeteam.lost_calls(job uuid, fresh_after integer, out calls integer, out tokens bigint, out micros bigint)
language plpgsql stable as $$
begin
  select count(*), coalesce(sum(k.worst_tokens), 0), coalesce(sum(k.cost_micros), 0) into calls, tokens, micros
  from calls k where k.job_id = job and k.attempt > fresh_after and k.basis = 'worst_case';
end
$$;

-- Claims up to `most` jobs of `mode` for one worker: the highest priority first, then fair across repositories, then the oldest.
-- Gives what is asked for, the fencing token (attempt) and the seq of the event that says so. Nothing: no row.
-- First it takes back what silent workers hold and puts into line what has become due or whose budget has opened, so that no janitor
-- is needed.
--   lost_calls, lost_tokens, lost_micros  calls of earlier attempts whose answers nobody has, at their worst case
-- The commit does not wait for the disk: the worker's first durable write takes the claim with it, and a claim that a crash
-- of the server takes back has had no effect.
-- QJ006 unknown_worker: not registered. QJ007 invalid input: no mode, or `most` not from 1 to 1000. QJ009 isolation: not at READ COMMITTED.
drop function if exists codeteam.claim_jobs(uuid, text, integer);
create or replace function codeteam.claim_jobs(worker uuid, mode text, most integer default 1)
returns table (
  id uuid, attempt integer, seq bigint, failures smallint, task text, repo text, base text, head text,
  prompt text, setup_command text, test_command text, delivery text, model text,
  step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint,
  lost_calls integer, lost_tokens bigint, lost_micros bigint
)
language plpgsql volatile security definer set search_path = codeteam, pg_temp
-- Plans: see ARCHITECTURE.md. What reads or sorts a table is quicker only while there are no jobs.
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off as $$
#variable_conflict use_column
declare
  async  text;
  own_id xid8;
  around record;
  swept  integer := 0;
  taken  uuid[];
begin
  if (mode in ('mechanic', 'genius') and most between 1 and 1000) is not true then
    perform check_mode(mode);
    perform demand(false, 'most', most::text, 'give a number from 1 to 1000');
  end if;
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'jobs are claimed at READ COMMITTED only' using errcode = 'QJ009',
      hint = 'set default_transaction_isolation to ''read committed'' for this role';
  end if;
  -- Each query has its price (PERFORM makes one, an assignment does not), so an ordinary claim makes three: a look around, take_jobs()'s
  -- and the claim itself.
  async := set_config('synchronous_commit', 'off', true);
  own_id := pg_current_xact_id(); -- before it looks who sleeps: see ring.sql
  select w.sandbox, w.stopped_at, w.lease_expires_at, w.lease_ms,
         exists (select from workers o where o.stopped_at is null and lease_ends(o) <= clock_timestamp()
                   and (heard_at(o) <= clock_timestamp() - lost_after() -- an idle one need not renew its lease
                        or exists (select from jobs j where j.state = 'running' and j.worker_id = o.id offset 0))) as silence,
         exists (select from jobs j where j.mode = claim_jobs.mode and j.waits_for = 'time' and j.run_at <= now()) as due,
         exists (select from jobs j where j.mode = claim_jobs.mode and j.waits_for = 'budget') as unpaid,
         exists (select from budget_stops) as stopped,
         exists (select from pauses p where p.mode = claim_jobs.mode) as paused,
         exists (select from sleepers s where s.topic = claim_jobs.mode and s.sleeper = claim_jobs.worker) as registered,
         exists (select from sleepers s where s.topic = 'events') as followed
  into around from workers w where w.id = claim_jobs.worker;
  if not found then
    raise exception 'there is no worker %', worker using errcode = 'QJ006', hint = 'register_worker comes first';
  end if;
  if around.silence then
    swept := sweep_expired();
    select exists (select from budget_stops), exists (select from pauses p where p.mode = claim_jobs.mode)
    into around.stopped, around.paused; -- a sweep may have waited
  end if;
  -- A lease that has just been renewed is left alone: a quick worker claims much more often than it must be heard of.
  if around.stopped_at is not null or around.lease_expires_at < clock_timestamp() + make_interval(secs => around.lease_ms * 2 / 3 / 1000.0) then
    perform renew_lease(claim_jobs.worker, false);
  end if;
  if around.due then
    perform line_up_due(mode);
  end if;
  if around.unpaid then
    perform line_up_reopened(mode);
  end if;
  if around.paused or around.stopped and exists (select from stops_in_force s where s.repo = '') then
    return;
  end if;
  taken := take_jobs(worker, mode, most, swept > 0, around.stopped);
  if taken = '{}' and not around.silence then
    swept := sweep_expired(); -- what is held by workers that have stopped is not looked for above
    if swept > 0 then
      taken := take_jobs(worker, mode, most, true, around.stopped);
    end if;
  end if;
  if taken = '{}' then
    return;
  end if;
  if around.registered then
    delete from sleepers s where s.topic = claim_jobs.mode and s.sleeper = claim_jobs.worker;
  end if;
  if around.followed then
    perform ring(array['events']);
  end if;
  return query
  with claimed as (
    update jobs j
    set state = 'running', attempt = j.attempt + 1, worker_id = claim_jobs.worker, started_at = clock_timestamp()
    where j.id = any (taken)
    returning j.id, j.attempt, 1 + coalesce((select max(e.seq) from events e where e.job_id = j.id), 0) as seq, j.fresh_after, j.failures,
              j.task, j.repo, j.base, j.head, j.prompt, j.setup_command, j.test_command, j.delivery, j.model,
              j.step_cap, j.token_cap, j.time_limit_ms, j.cost_cap_micros
  ), told as (
    insert into events (job_id, seq, attempt, kind, data)
    select c.id, c.seq, c.attempt, 'claimed', jsonb_build_object('worker', claim_jobs.worker, 'sandbox', around.sandbox)
    from claimed c
  )
  select c.id, c.attempt, c.seq, c.failures, c.task, c.repo, c.base, c.head, c.prompt, c.setup_command, c.test_command, c.delivery, c.model,
         c.step_cap, c.token_cap, c.time_limit_ms, c.cost_cap_micros,
         case when c.attempt > 1 then (lost_calls(c.id, c.fresh_after)).calls else 0 end,
         case when c.attempt > 1 then (lost_calls(c.id, c.fresh_after)).tokens else 0 end,
         case when c.attempt > 1 then (lost_calls(c.id, c.fresh_after)).micros else 0 end
  from claimed c;
end
$$;
