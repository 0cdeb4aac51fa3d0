-- The schema as `pg_dump` 15 writes it, for reading. It is made, not edited: a test compares it.

CREATE SCHEMA codeteam;

CREATE FUNCTION codeteam.append_event(job uuid, attempt integer, kind text, data jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  new_seq bigint;
begin
  insert into events (job_id, seq, attempt, kind, data)
  select append_event.job, coalesce(max(e.seq), 0) + 1, append_event.attempt, append_event.kind, append_event.data
  from events e where e.job_id = append_event.job
  returning seq into new_seq;
  perform ring(array['events']);
  return new_seq;
end
$$;

CREATE FUNCTION codeteam.append_events(job uuid, attempt integer, worker uuid, after_seq bigint, kinds text[], data jsonb[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  last bigint;
begin
  perform hold(job, attempt, worker);
  select coalesce(max(e.seq), 0) into last from events e where e.job_id = append_events.job;
  if exists (select from events e where e.job_id = append_events.job and e.seq > after_seq and e.attempt = append_events.attempt) then
    return last;
  end if;
  insert into events (job_id, seq, attempt, kind, data)
  select append_events.job, last + e.n, append_events.attempt, e.kind, e.data
  from unnest(append_events.kinds, append_events.data) with ordinality as e (kind, data, n);
  perform ring(array['events']);
  return last + cardinality(kinds);
end
$$;

CREATE FUNCTION codeteam.busy_workers() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select distinct worker_id from jobs where state = 'running'
$$;

CREATE FUNCTION codeteam.cancel_job(job uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held jobs;
begin
  select j.* into held from jobs j where j.id = cancel_job.job for no key update;
  if not found then
    raise exception 'there is no job %', job using errcode = 'QJ003', hint = 'codeteam jobs lists them';
  end if;
  if held.state = 'queued' then
    perform append_event(job, 0, 'cancel_requested', '{}');
    perform end_job(job, 'cancelled', 'none', 'cancelled', null);
    return 'cancelled';
  elsif held.state = 'running' and not held.cancel_requested then
    update jobs j set cancel_requested = true where j.id = cancel_job.job;
    perform append_event(job, 0, 'cancel_requested', '{}');
    perform pg_notify('codeteam_worker_' || held.worker_id, '');
  end if;
  return held.state;
end
$$;

CREATE FUNCTION codeteam.claim_job(worker uuid, mode text) RETURNS TABLE(id uuid, attempt integer, seq bigint, failures smallint, task text, repo text, base text, prompt text, test_command text, model text, step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, lost_calls integer, lost_tokens bigint, lost_micros bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET enable_sort TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
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

CREATE FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid DEFAULT NULL::uuid, after_seq bigint DEFAULT 0) RETURNS TABLE(newly_armed boolean, ready boolean, next_due_ms bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  armed boolean := not exists (
    select from sleepers s where s.topic = doze.topic and s.sleeper = doze.sleeper and s.backend = pg_backend_pid());
begin
  perform set_config('synchronous_commit', 'off', true);
  if armed then
    delete from sleepers s where not exists (select from pg_stat_activity a where a.pid = s.backend);
    insert into sleepers as s (topic, sleeper, backend) values (doze.topic, doze.sleeper, pg_backend_pid())
    on conflict on constraint sleepers_pkey do update set backend = pg_backend_pid();
  end if;
  update workers w set heartbeat_at = clock_timestamp(), stopped_at = null where w.id = doze.sleeper;
  return query select armed, l.ready, l.next_due_ms from look(doze.topic, doze.job, doze.after_seq) l;
end
$$;

CREATE FUNCTION codeteam.end_attempt(job uuid, may_retry boolean, delay_ms bigint, exit_reason text, error text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
  held jobs;
begin
  select j.* into held from jobs j where j.id = end_attempt.job;
  if held.cancel_requested then
    perform end_job(job, 'cancelled', 'none', 'cancelled', null);
    return 'cancelled';
  elsif not may_retry then
    perform end_job(job, 'failed', 'none', exit_reason, error);
    return 'failed';
  elsif held.deaths >= 3 or held.failures + held.deaths >= held.max_attempts then
    perform end_job(job, 'dead', 'none', exit_reason,
      format('given up after %s attempts: %s', held.failures + held.deaths, error));
    return 'dead';
  end if;
  perform requeue(job, delay_ms);
  return 'queued';
end
$$;

CREATE FUNCTION codeteam.end_job(job uuid, state text, outcome text, exit_reason text, error text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  last_attempt integer;
begin
  update jobs j
  set state = end_job.state, outcome = end_job.outcome, exit_reason = end_job.exit_reason, error = end_job.error,
      finished_at = clock_timestamp(), worker_id = null
  where j.id = end_job.job
  returning j.attempt into last_attempt;
  perform append_event(job, last_attempt, 'finished', jsonb_build_object(
    'state', end_job.state, 'outcome', end_job.outcome, 'exit_reason', end_job.exit_reason, 'error', end_job.error));
end
$$;

CREATE FUNCTION codeteam.fail_attempt(job uuid, attempt integer, worker uuid, exit_reason text, error text, retry_in_ms bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform hold(job, attempt, worker);
  update jobs j set failures = j.failures + 1, error = fail_attempt.error where j.id = fail_attempt.job;
  perform append_event(job, attempt, 'attempt_failed', jsonb_build_object(
    'reason', exit_reason, 'error', error, 'retry_in_ms', retry_in_ms));
  return end_attempt(job, retry_in_ms is not null, greatest(retry_in_ms, 1), exit_reason, error);
end
$$;

CREATE FUNCTION codeteam.finish_job(job uuid, attempt integer, worker uuid, after_seq bigint, state text, outcome text, exit_reason text, error text, kinds text[], data jsonb[]) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  stands jobs;
begin
  -- Locked before it is looked: the same call may be under way on a connection that the caller has given up.
  select j.* into stands from jobs j where j.id = finish_job.job for no key update;
  if stands.attempt = finish_job.attempt and stands.finished_at is not null then
    return stands.state;
  end if;
  perform append_events(job, attempt, worker, after_seq, kinds, data);
  perform end_job(job, state, outcome, exit_reason, error);
  return state;
end
$$;

CREATE FUNCTION codeteam.heartbeat(worker uuid, job_ids uuid[], attempts integer[]) RETURNS TABLE(job_id uuid, verdict text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  unheard jobs;
begin
  perform set_config('synchronous_commit', 'off', true);
  if not renew_lease(heartbeat.worker, true) then
    return query select n.job, 'lost' from unnest(heartbeat.job_ids) as n (job);
    return;
  end if;
  for unheard in
    select j.* from jobs j join workers w on w.id = j.worker_id
    where j.state = 'running' and j.worker_id = heartbeat.worker and not j.id = any (heartbeat.job_ids)
      and j.started_at < clock_timestamp() - make_interval(secs => w.lease_ms / 3000.0)
    for no key update of j skip locked
  loop
    perform append_event(unheard.id, unheard.attempt, 'released', '{"reason": "its worker never heard of the claim"}');
    perform requeue(unheard.id, 0);
  end loop;
  return query
  select n.job, case when j.id is null then 'lost' when j.cancel_requested then 'cancel' else 'ok' end
  from unnest(heartbeat.job_ids, heartbeat.attempts) as n (job, attempt)
  left join jobs j on j.id = n.job and j.state = 'running' and j.attempt = n.attempt and j.worker_id = heartbeat.worker;
end
$$;

CREATE TABLE codeteam.jobs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    mode text NOT NULL,
    task text NOT NULL,
    repo text NOT NULL,
    base text,
    prompt text NOT NULL,
    test_command text,
    model text,
    step_cap integer,
    token_cap bigint,
    time_limit_ms bigint,
    cost_cap_micros bigint,
    priority smallint DEFAULT 0 NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    max_attempts smallint DEFAULT 3 NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    fresh_after integer DEFAULT 0 NOT NULL,
    failures smallint DEFAULT 0 NOT NULL,
    deaths smallint DEFAULT 0 NOT NULL,
    worker_id uuid,
    cancel_requested boolean DEFAULT false NOT NULL,
    outcome text,
    exit_reason text,
    error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    dedupe_key text,
    CONSTRAINT final_means_explained CHECK ((((state = ANY (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text, 'dead'::text])) = (finished_at IS NOT NULL)) AND ((finished_at IS NULL) = (exit_reason IS NULL)) AND ((finished_at IS NULL) = (outcome IS NULL)))),
    CONSTRAINT jobs_base_check CHECK (((base ~ '\S'::text) AND (octet_length(base) <= 250) AND (base !~~ '-%'::text))),
    CONSTRAINT jobs_cost_cap_micros_check CHECK ((cost_cap_micros >= 1)),
    CONSTRAINT jobs_dedupe_key_check CHECK (((dedupe_key ~ '\S'::text) AND (octet_length(dedupe_key) <= 500))),
    CONSTRAINT jobs_exit_reason_check CHECK ((exit_reason = ANY (ARRAY['finished'::text, 'step_cap'::text, 'token_cap'::text, 'time_limit'::text, 'cost_cap'::text, 'cancelled'::text, 'interrupted'::text, 'model_error'::text, 'sandbox_error'::text, 'delivery_error'::text, 'lost_worker'::text]))),
    CONSTRAINT jobs_max_attempts_check CHECK (((max_attempts >= 1) AND (max_attempts <= 100))),
    CONSTRAINT jobs_mode_check CHECK ((mode = ANY (ARRAY['mechanic'::text, 'genius'::text]))),
    CONSTRAINT jobs_model_check CHECK (((model ~ '\S'::text) AND (octet_length(model) <= 200))),
    CONSTRAINT jobs_outcome_check CHECK ((outcome = ANY (ARRAY['verified'::text, 'unverified'::text, 'failed'::text, 'none'::text]))),
    CONSTRAINT jobs_prompt_check CHECK (((prompt ~ '\S'::text) AND (octet_length(prompt) <= 100000))),
    CONSTRAINT jobs_repo_check CHECK (((repo ~ '\S'::text) AND (octet_length(repo) <= 2000) AND (repo !~~ '-%'::text))),
    CONSTRAINT jobs_run_at_check CHECK (((run_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (run_at <= '9000-01-01 00:00:00+00'::timestamp with time zone))),
    CONSTRAINT jobs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text, 'dead'::text]))),
    CONSTRAINT jobs_step_cap_check CHECK (((step_cap >= 1) AND (step_cap <= 10000))),
    CONSTRAINT jobs_task_check CHECK ((task = ANY (ARRAY['bug_fix'::text, 'refactor'::text, 'analysis'::text, 'review'::text, 'feature'::text, 'complex_refactor'::text, 'security_fix'::text, 'architecture'::text]))),
    CONSTRAINT jobs_test_command_check CHECK (((test_command ~ '\S'::text) AND (octet_length(test_command) <= 10000))),
    CONSTRAINT jobs_time_limit_ms_check CHECK (((time_limit_ms >= 1000) AND (time_limit_ms <= 86400000))),
    CONSTRAINT jobs_token_cap_check CHECK (((token_cap >= 1) AND (token_cap <= 100000000))),
    CONSTRAINT running_means_held CHECK (((state = 'running'::text) = (worker_id IS NOT NULL)))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.01', autovacuum_analyze_scale_factor='0.02', toast_tuple_target='256');

CREATE FUNCTION codeteam.hold(job uuid, attempt integer, worker uuid) RETURNS codeteam.jobs
    LANGUAGE plpgsql
    AS $$
declare
  held jobs;
begin
  select j.* into held from jobs j
  where j.id = hold.job and j.state = 'running' and j.attempt = hold.attempt and j.worker_id = hold.worker
  for no key update;
  if not found then
    raise exception 'attempt % of job % is no longer held by worker %', attempt, job, worker
      using errcode = 'QJ001', hint = 'stop working on it: another attempt owns the job now';
  end if;
  return held;
end
$$;

CREATE FUNCTION codeteam.jobs_doorbell() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  modes text[];
begin
  if current_setting('transaction_isolation') <> 'read committed' or exists (select from sleepers) then
    select array_agg(distinct mode) into modes from inserted;
    if modes is not null then
      perform ring(modes || 'scaler'::text);
    end if;
  end if;
  return null;
end
$$;

CREATE TABLE codeteam.workers (
    id uuid NOT NULL,
    mode text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    sandbox text NOT NULL,
    lease_ms integer NOT NULL,
    lease_expires_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    heartbeat_at timestamp with time zone DEFAULT now() NOT NULL,
    stopped_at timestamp with time zone,
    CONSTRAINT workers_lease_ms_check CHECK (((lease_ms >= 1) AND (lease_ms <= 3600000))),
    CONSTRAINT workers_mode_check CHECK ((mode = ANY (ARRAY['mechanic'::text, 'genius'::text])))
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='20');

CREATE FUNCTION codeteam.lease_ends(w codeteam.workers) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
  select greatest(w.lease_expires_at, pg_catalog.pg_postmaster_start_time() + pg_catalog.make_interval(secs => w.lease_ms / 1000.0))
$$;

CREATE FUNCTION codeteam.look(topic text, job uuid DEFAULT NULL::uuid, after_seq bigint DEFAULT 0) RETURNS TABLE(ready boolean, next_due_ms bigint, snapshot_xmin bigint, snapshot_xmax bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET enable_bitmapscan TO 'off'
    AS $$ -- as in claim_job
  with modes as (
    select unnest(case when topic = 'scaler' then array['mechanic', 'genius'] else array[topic] end) as mode
  ), leases as (
    select lease_ends(w) as ends from jobs j join workers w on w.id = j.worker_id join modes m on m.mode = j.mode
    where j.state = 'running'
  ), due as (
    select min(at) as at from (
      select (select j.run_at from jobs j where j.state = 'queued' and j.mode = m.mode and j.run_at > now()
              order by j.run_at limit 1) from modes m
      union all
      select ends from leases where ends > clock_timestamp()
    ) as coming (at)
  )
  select
    exists (select from claimable c join modes m on m.mode = c.mode)
      or exists (select from leases where ends <= clock_timestamp() or topic = 'scaler')
      or (topic = 'events' and exists (select from events e where e.job_id = look.job and e.seq > look.after_seq)),
    ceil(extract(epoch from due.at - clock_timestamp()) * 1000)::bigint,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint
  from due
$$;

CREATE FUNCTION codeteam.observe() RETURNS TABLE(mode text, ready bigint, scheduled bigint, running bigint, busy bigint, oldest_ready_ms bigint, next_due_ms bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET enable_bitmapscan TO 'off'
    AS $$ -- as in claim_job
  select m.mode, queue.ready + held.expired, queue.scheduled, held.live, held.busy,
         (extract(epoch from now() - least(queue.oldest, held.oldest)) * 1000)::bigint,
         ceil(extract(epoch from least(queue.next, held.next) - now()) * 1000)::bigint
  from unnest(array['mechanic', 'genius']) as m (mode)
  cross join lateral (
    select (select count(*) from (select from claimable c where c.mode = m.mode limit 1000) c) as ready,
           (select count(*) from (select from jobs j where j.state = 'queued' and j.mode = m.mode and j.run_at > now() limit 1000) j) as scheduled,
           (select c.run_at from claimable c where c.mode = m.mode order by c.run_at limit 1) as oldest,
           (select j.run_at from jobs j where j.state = 'queued' and j.mode = m.mode and j.run_at > now() order by j.run_at limit 1) as next
  ) queue
  cross join lateral (
    select count(*) filter (where l.ends <= now()) as expired, min(l.ends) filter (where l.ends <= now()) as oldest,
           count(*) filter (where l.ends > now()) as live, min(l.ends) filter (where l.ends > now()) as next,
           count(distinct l.worker_id) filter (where l.ends > now()) as busy
    from (select j.worker_id, lease_ends(w) as ends from jobs j join workers w on w.id = j.worker_id
          where j.state = 'running' and j.mode = m.mode) l
  ) held
$$;

CREATE FUNCTION codeteam.pause_mode(mode text, reason text DEFAULT ''::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  insert into pauses as p (mode, reason) values (mode, reason)
  on conflict on constraint pauses_pkey do update set reason = excluded.reason
$$;

CREATE FUNCTION codeteam.read_events(job uuid, after_seq bigint, most integer) RETURNS TABLE(seq bigint, attempt integer, at timestamp with time zone, kind text, data jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select e.seq, e.attempt, e.at, e.kind, e.data from events e
  where e.job_id = read_events.job and e.seq > after_seq
  order by e.seq limit most
$$;

CREATE FUNCTION codeteam.record_decision(service text, previous integer, target integer, reason text, observation jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  insert into scale_decisions (service, previous, target, reason, observation)
  values (service, previous, target, reason, observation)
$$;

CREATE FUNCTION codeteam.register_worker(worker uuid, mode text, host text, pid integer, version text, sandbox text, lease_ms integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  delete from workers w where w.heartbeat_at < now() - interval '1 day';
  insert into workers (id, mode, host, pid, version, sandbox, lease_ms, lease_expires_at)
  values (worker, mode, host, pid, version, sandbox, lease_ms, clock_timestamp() + make_interval(secs => lease_ms / 1000.0))
  on conflict (id) do update set heartbeat_at = clock_timestamp();
$$;

CREATE FUNCTION codeteam.release_job(job uuid, attempt integer, worker uuid, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held jobs := hold(job, attempt, worker);
begin
  perform append_event(job, attempt, 'released', jsonb_build_object('reason', reason));
  if held.cancel_requested then
    perform end_job(job, 'cancelled', 'none', 'cancelled', null);
  else
    perform requeue(job, 0);
  end if;
end
$$;

CREATE FUNCTION codeteam.renew_lease(worker uuid, in_time boolean) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
begin
  update workers w
  set heartbeat_at = clock_timestamp(), stopped_at = null,
      lease_expires_at = clock_timestamp() + make_interval(secs => w.lease_ms / 1000.0)
  where w.id = worker and (not in_time or lease_ends(w) > clock_timestamp());
  return found;
end
$$;

CREATE FUNCTION codeteam.requeue(job uuid, delay_ms bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  job_mode text;
begin
  update jobs j
  set state = 'queued', worker_id = null,
      run_at = case when delay_ms > 0 then clock_timestamp() + make_interval(secs => delay_ms / 1000.0) else j.run_at end
  where j.id = requeue.job
  returning j.mode into job_mode;
  perform ring(array[job_mode, 'scaler']);
end
$$;

CREATE FUNCTION codeteam.reserve(job uuid, attempt integer, worker uuid, call integer, model text, worst_case_micros bigint, worst_tokens bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held  jobs := hold(job, attempt, worker);
  spent bigint;
begin
  if exists (select from ledger l where (l.job_id, l.attempt, l.call, l.kind) = (reserve.job, reserve.attempt, reserve.call, 'reservation')) then
    return;
  end if;
  if held.cost_cap_micros is not null then
    select coalesce(sum(c.cost_micros), 0) into spent from calls c
    where c.job_id = reserve.job and c.attempt > held.fresh_after;
    if spent + worst_case_micros > held.cost_cap_micros then
      raise exception 'job % has % micro-dollars left of its cap; call % could cost %',
        job, held.cost_cap_micros - spent, call, worst_case_micros using errcode = 'QJ004';
    end if;
  end if;
  insert into ledger (job_id, attempt, call, kind, basis, repo, mode, model, cost_micros, worst_tokens)
  values (reserve.job, reserve.attempt, reserve.call, 'reservation', 'worst_case', held.repo, held.mode, reserve.model, worst_case_micros, reserve.worst_tokens);
end
$$;

CREATE FUNCTION codeteam.resume_mode(mode text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  delete from pauses p where p.mode = resume_mode.mode;
  if not found then
    return false;
  end if;
  perform ring(array[resume_mode.mode, 'scaler']);
  return true;
end
$$;

CREATE FUNCTION codeteam.retire_worker(worker uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  delete from sleepers s where s.sleeper = retire_worker.worker;
  update workers w set stopped_at = clock_timestamp() where w.id = retire_worker.worker;
$$;

CREATE FUNCTION codeteam.retry_job(job uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held jobs;
begin
  select j.* into held from jobs j where j.id = retry_job.job for no key update;
  if not found then
    raise exception 'there is no job %', job using errcode = 'QJ003', hint = 'codeteam jobs lists them';
  end if;
  if held.state not in ('failed', 'cancelled', 'dead') then
    raise exception 'job % is %: only a failed, cancelled or dead job can be retried', job, held.state using errcode = 'QJ002';
  end if;
  update jobs j
  set fresh_after = j.attempt, failures = 0, deaths = 0, cancel_requested = false, outcome = null, exit_reason = null, error = null,
      finished_at = null, state = 'queued', run_at = clock_timestamp()
  where j.id = retry_job.job;
  perform append_event(job, 0, 'retried', '{}');
  perform requeue(job, 0);
end
$$;

CREATE FUNCTION codeteam.ring(topics text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  if current_setting('transaction_isolation') = 'read committed' then
    perform pg_notify('codeteam_' || s.topic, '')
    from (select distinct topic from sleepers where topic = any (topics)) s;
  else
    perform pg_notify('codeteam_' || topic, '') from unnest(topics) as topic;
  end if;
end
$$;

CREATE FUNCTION codeteam.schema_version() RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select max(version)::integer from schema_history
$$;

CREATE FUNCTION codeteam.settle(job uuid, attempt integer, worker uuid, after_seq bigint, call integer, basis text, model text, cost_micros bigint, uncached bigint, cache_read bigint, cache_write_5m bigint, cache_write_1h bigint, output bigint, reasoning bigint, request_id text, raw_usage jsonb, kinds text[], data jsonb[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
#variable_conflict use_variable
begin
  -- Locked before it is looked: the same call may be under way on a connection that the caller has given up.
  perform from jobs j where j.id = settle.job for no key update;
  if exists (select from ledger l where (l.job_id, l.attempt, l.call, l.kind) = (settle.job, settle.attempt, settle.call, 'settlement')) then
    return (select max(e.seq) from events e where e.job_id = settle.job);
  end if;
  perform hold(job, attempt, worker);
  insert into ledger (job_id, attempt, call, kind, basis, repo, mode, model, cost_micros,
                      uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning, request_id, raw_usage)
  select r.job_id, r.attempt, r.call, 'settlement', basis, r.repo, r.mode, model,
         case basis when 'worst_case' then r.cost_micros when 'unbilled' then 0 else cost_micros end,
         uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning, request_id, raw_usage
  from ledger r
  where r.job_id = settle.job and r.attempt = settle.attempt and r.call = settle.call and r.kind = 'reservation';
  if not found then
    raise exception 'call % of attempt % of job % was never reserved', call, attempt, job using errcode = 'QJ005';
  end if;
  return append_events(job, attempt, worker, after_seq, kinds, data);
end
$$;

CREATE FUNCTION codeteam.silent_workers(among uuid[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select w.id from workers w
  where w.id = any (among)
    and (lease_ends(w) <= now() and exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
         or greatest(w.heartbeat_at, pg_postmaster_start_time()) <= now() - interval '2 minutes')
$$;

CREATE FUNCTION codeteam.submit_job(task text, repo text, prompt text, mode text DEFAULT NULL::text, base text DEFAULT NULL::text, test_command text DEFAULT NULL::text, model text DEFAULT NULL::text, step_cap integer DEFAULT NULL::integer, token_cap bigint DEFAULT NULL::bigint, time_limit_ms bigint DEFAULT NULL::bigint, cost_cap_micros bigint DEFAULT NULL::bigint, priority smallint DEFAULT NULL::smallint, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, dedupe_key text DEFAULT NULL::text, id uuid DEFAULT NULL::uuid) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select submit_jobs(jsonb_build_array(jsonb_build_object(
    'id', id, 'mode', mode, 'task', task, 'repo', repo, 'base', base, 'prompt', prompt, 'test_command', test_command,
    'model', model, 'step_cap', step_cap, 'token_cap', token_cap, 'time_limit_ms', time_limit_ms,
    'cost_cap_micros', cost_cap_micros, 'priority', priority, 'run_at', run_at, 'dedupe_key', dedupe_key)))
$$;

CREATE FUNCTION codeteam.submit_jobs(jobs jsonb) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  known   constant text[] := array['id', 'mode', 'task', 'repo', 'base', 'prompt', 'test_command', 'model', 'step_cap', 'token_cap',
    'time_limit_ms', 'cost_cap_micros', 'priority', 'run_at', 'dedupe_key'];
  strange text;
  asked   jsonb; -- each with an id
  ids     uuid[];
begin
  if jsonb_typeof(jobs) is distinct from 'array'
     or exists (select from jsonb_array_elements(jobs) e where jsonb_typeof(e) <> 'object') then
    raise exception 'jobs is no array of objects' using errcode = 'QJ007', hint = 'write [{"task": ..., "repo": ..., "prompt": ...}]';
  end if;
  select k into strange from jsonb_array_elements(jobs) e, jsonb_object_keys(e) k where not k = any (known) limit 1;
  if found then
    raise exception 'a job has no %', strange using errcode = 'QJ007', hint = 'use ' || array_to_string(known, ', ');
  end if;
  select jsonb_agg(e || jsonb_build_object('id', coalesce(nullif(e -> 'id', 'null'), to_jsonb(gen_random_uuid()))) order by n)
  into asked from jsonb_array_elements(jobs) with ordinality as x (e, n);
  loop
    insert into jobs (id, mode, task, repo, base, prompt, test_command, model, step_cap, token_cap, time_limit_ms, cost_cap_micros,
                      priority, run_at, dedupe_key)
    select a.id,
           coalesce(a.mode, case when a.task in ('bug_fix', 'refactor', 'analysis', 'review') then 'mechanic' else 'genius' end),
           a.task, a.repo, a.base, a.prompt, a.test_command, a.model, a.step_cap, a.token_cap, a.time_limit_ms,
           a.cost_cap_micros, coalesce(a.priority, 0), coalesce(a.run_at, now()), a.dedupe_key
    from jsonb_to_recordset(asked) as a (
      id uuid, mode text, task text, repo text, base text, prompt text, test_command text, model text, step_cap integer,
      token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, priority smallint, run_at timestamptz, dedupe_key text)
    on conflict do nothing;
    -- A statement of its own: what others committed while the insert waited for them is visible only now.
    select array_agg(coalesce(
      (select j.id from codeteam.jobs j where j.id = a.id),
      (select j.id from codeteam.jobs j where j.dedupe_key = a.dedupe_key and j.state in ('queued', 'running'))) order by n)
    into ids
    from (select (e ->> 'id')::uuid as id, e ->> 'dedupe_key' as dedupe_key, n
          from jsonb_array_elements(asked) with ordinality as x (e, n)) a;
    -- Null: the open job that was in the way has just ended. Then this one's turn has come.
    exit when array_position(ids, null) is null;
  end loop;
  return query select unnest(ids);
end
$$;

CREATE FUNCTION codeteam.sweep_expired(most integer DEFAULT 10) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  silent uuid;
  lost   jobs;
  swept  integer := 0;
begin
  -- A heartbeat that comes meanwhile waits for this row, or this skips it: a worker is silent or not, never both.
  for silent in
    select w.id from workers w
    where w.stopped_at is null and lease_ends(w) <= clock_timestamp()
      and exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
    for no key update skip locked
  loop
    for lost in
      select j.* from jobs j where j.state = 'running' and j.worker_id = silent
      limit most - swept for no key update skip locked
    loop
      swept := swept + 1;
      perform append_event(lost.id, lost.attempt, 'lease_expired', jsonb_build_object('worker', silent));
      update jobs set deaths = deaths + 1 where id = lost.id;
      perform end_attempt(lost.id, true, 0, 'lost_worker', 'its worker fell silent without giving it back');
    end loop;
  end loop;
  -- A worker that has been silent for so long is gone. Should it come back, its next word says so.
  update workers w set stopped_at = w.heartbeat_at
  where w.stopped_at is null and w.heartbeat_at < clock_timestamp() - interval '2 minutes'
    and not exists (select from jobs j where j.state = 'running' and j.worker_id = w.id);
  return swept;
end
$$;

CREATE FUNCTION codeteam.wake(topic text, sleeper uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  delete from sleepers s where s.topic = wake.topic and s.sleeper = wake.sleeper
$$;

CREATE TABLE codeteam.ledger (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    call integer NOT NULL,
    kind text NOT NULL,
    basis text NOT NULL,
    repo text NOT NULL,
    mode text NOT NULL,
    model text NOT NULL,
    cost_micros bigint NOT NULL,
    worst_tokens bigint DEFAULT 0 NOT NULL,
    uncached bigint DEFAULT 0 NOT NULL,
    cache_read bigint DEFAULT 0 NOT NULL,
    cache_write_5m bigint DEFAULT 0 NOT NULL,
    cache_write_1h bigint DEFAULT 0 NOT NULL,
    output bigint DEFAULT 0 NOT NULL,
    reasoning bigint DEFAULT 0 NOT NULL,
    request_id text,
    raw_usage jsonb,
    CONSTRAINT ledger_basis_check CHECK ((basis = ANY (ARRAY['worst_case'::text, 'reported'::text, 'unbilled'::text]))),
    CONSTRAINT ledger_cache_read_check CHECK (((cache_read >= 0) AND (cache_read <= '1000000000000'::bigint))),
    CONSTRAINT ledger_cache_write_1h_check CHECK (((cache_write_1h >= 0) AND (cache_write_1h <= '1000000000000'::bigint))),
    CONSTRAINT ledger_cache_write_5m_check CHECK (((cache_write_5m >= 0) AND (cache_write_5m <= '1000000000000'::bigint))),
    CONSTRAINT ledger_call_check CHECK ((call >= 1)),
    CONSTRAINT ledger_check CHECK (((reasoning >= 0) AND (reasoning <= output))),
    CONSTRAINT ledger_cost_micros_check CHECK (((cost_micros >= 0) AND (cost_micros <= '1000000000000'::bigint))),
    CONSTRAINT ledger_kind_check CHECK ((kind = ANY (ARRAY['reservation'::text, 'settlement'::text]))),
    CONSTRAINT ledger_output_check CHECK (((output >= 0) AND (output <= '1000000000000'::bigint))),
    CONSTRAINT ledger_uncached_check CHECK (((uncached >= 0) AND (uncached <= '1000000000000'::bigint))),
    CONSTRAINT ledger_worst_tokens_check CHECK (((worst_tokens >= 0) AND (worst_tokens <= '1000000000000'::bigint)))
);

CREATE VIEW codeteam.calls AS
 SELECT r.job_id,
    r.attempt,
    r.call,
    r.at AS asked_at,
    r.repo,
    r.mode,
    COALESCE(s.model, r.model) AS model,
    COALESCE(s.cost_micros, r.cost_micros) AS cost_micros,
    (s.id IS NOT NULL) AS settled,
    COALESCE(s.basis, r.basis) AS basis,
    r.worst_tokens,
    COALESCE(s.uncached, (0)::bigint) AS uncached,
    COALESCE(s.cache_read, (0)::bigint) AS cache_read,
    COALESCE(s.cache_write_5m, (0)::bigint) AS cache_write_5m,
    COALESCE(s.cache_write_1h, (0)::bigint) AS cache_write_1h,
    COALESCE(s.output, (0)::bigint) AS output,
    COALESCE(s.reasoning, (0)::bigint) AS reasoning
   FROM (codeteam.ledger r
     LEFT JOIN codeteam.ledger s ON (((s.job_id = r.job_id) AND (s.attempt = r.attempt) AND (s.call = r.call) AND (s.kind = 'settlement'::text))))
  WHERE (r.kind = 'reservation'::text);

CREATE TABLE codeteam.pauses (
    mode text NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    reason text NOT NULL,
    CONSTRAINT pauses_mode_check CHECK ((mode = ANY (ARRAY['mechanic'::text, 'genius'::text]))),
    CONSTRAINT pauses_reason_check CHECK ((octet_length(reason) <= 1000))
);

CREATE VIEW codeteam.claimable AS
 SELECT j.id,
    j.mode,
    j.priority,
    j.run_at
   FROM codeteam.jobs j
  WHERE ((j.state = 'queued'::text) AND (j.run_at <= now()) AND (j.mode <> ALL (ARRAY( SELECT p.mode
           FROM codeteam.pauses p))));

CREATE TABLE codeteam.events (
    job_id uuid NOT NULL,
    seq bigint NOT NULL,
    attempt integer NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    kind text NOT NULL,
    data jsonb NOT NULL,
    CONSTRAINT events_kind_check CHECK ((kind ~ '^[a-z_]{1,40}$'::text))
);

CREATE TABLE codeteam.functions_applied (
    only_row boolean DEFAULT true NOT NULL,
    digest text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT functions_applied_only_row_check CHECK (only_row)
);

ALTER TABLE codeteam.ledger ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME codeteam.ledger_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE codeteam.scale_decisions (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    service text NOT NULL,
    previous integer NOT NULL,
    target integer NOT NULL,
    reason text NOT NULL,
    observation jsonb NOT NULL,
    CONSTRAINT scale_decisions_previous_check CHECK ((previous >= 0)),
    CONSTRAINT scale_decisions_target_check CHECK ((target >= 0))
);

ALTER TABLE codeteam.scale_decisions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME codeteam.scale_decisions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE codeteam.schema_history (
    version integer NOT NULL,
    name character varying(255),
    applied_on character varying(255),
    checksum character varying(255)
);

CREATE TABLE codeteam.sleepers (
    topic text NOT NULL,
    sleeper uuid NOT NULL,
    backend integer NOT NULL,
    CONSTRAINT sleepers_topic_check CHECK ((topic = ANY (ARRAY['mechanic'::text, 'genius'::text, 'scaler'::text, 'events'::text])))
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='20');

ALTER TABLE ONLY codeteam.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (job_id, seq);

ALTER TABLE ONLY codeteam.functions_applied
    ADD CONSTRAINT functions_applied_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY codeteam.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY codeteam.ledger
    ADD CONSTRAINT ledger_job_id_attempt_call_kind_key UNIQUE (job_id, attempt, call, kind);

ALTER TABLE ONLY codeteam.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (id);

ALTER TABLE ONLY codeteam.pauses
    ADD CONSTRAINT pauses_pkey PRIMARY KEY (mode);

ALTER TABLE ONLY codeteam.scale_decisions
    ADD CONSTRAINT scale_decisions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY codeteam.schema_history
    ADD CONSTRAINT schema_history_pkey PRIMARY KEY (version);

ALTER TABLE ONLY codeteam.sleepers
    ADD CONSTRAINT sleepers_pkey PRIMARY KEY (topic, sleeper);

ALTER TABLE ONLY codeteam.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);

CREATE INDEX jobs_due ON codeteam.jobs USING btree (mode, run_at) WHERE (state = 'queued'::text);

CREATE UNIQUE INDEX jobs_open_dedupe_key ON codeteam.jobs USING btree (dedupe_key) WHERE ((dedupe_key IS NOT NULL) AND (state = ANY (ARRAY['queued'::text, 'running'::text])));

CREATE INDEX jobs_queued ON codeteam.jobs USING btree (mode, priority DESC, run_at, id) WHERE (state = 'queued'::text);

CREATE INDEX jobs_recent ON codeteam.jobs USING btree (created_at DESC, id);

CREATE INDEX jobs_running ON codeteam.jobs USING btree (worker_id) WHERE (state = 'running'::text);

CREATE INDEX scale_decisions_recent ON codeteam.scale_decisions USING btree (at DESC);

CREATE TRIGGER doorbell AFTER INSERT ON codeteam.jobs REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION codeteam.jobs_doorbell();

ALTER TABLE ONLY codeteam.events
    ADD CONSTRAINT events_job_id_fkey FOREIGN KEY (job_id) REFERENCES codeteam.jobs(id) ON DELETE CASCADE;

GRANT USAGE ON SCHEMA codeteam TO codeteam_api;
GRANT USAGE ON SCHEMA codeteam TO codeteam_worker;
GRANT USAGE ON SCHEMA codeteam TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.append_event(job uuid, attempt integer, kind text, data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.append_events(job uuid, attempt integer, worker uuid, after_seq bigint, kinds text[], data jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.append_events(job uuid, attempt integer, worker uuid, after_seq bigint, kinds text[], data jsonb[]) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.busy_workers() FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.busy_workers() TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.cancel_job(job uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.cancel_job(job uuid) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.claim_job(worker uuid, mode text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.claim_job(worker uuid, mode text) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid, after_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid, after_seq bigint) TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid, after_seq bigint) TO codeteam_scaler;
GRANT ALL ON FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid, after_seq bigint) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.end_attempt(job uuid, may_retry boolean, delay_ms bigint, exit_reason text, error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.end_job(job uuid, state text, outcome text, exit_reason text, error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.fail_attempt(job uuid, attempt integer, worker uuid, exit_reason text, error text, retry_in_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.fail_attempt(job uuid, attempt integer, worker uuid, exit_reason text, error text, retry_in_ms bigint) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.finish_job(job uuid, attempt integer, worker uuid, after_seq bigint, state text, outcome text, exit_reason text, error text, kinds text[], data jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.finish_job(job uuid, attempt integer, worker uuid, after_seq bigint, state text, outcome text, exit_reason text, error text, kinds text[], data jsonb[]) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.heartbeat(worker uuid, job_ids uuid[], attempts integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.heartbeat(worker uuid, job_ids uuid[], attempts integer[]) TO codeteam_worker;

GRANT SELECT ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(id) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(mode) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(task) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(repo) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(base) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(prompt) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(test_command) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(model) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(step_cap) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(token_cap) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(time_limit_ms) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(cost_cap_micros) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(priority) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(run_at) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(max_attempts) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(dedupe_key) ON TABLE codeteam.jobs TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.hold(job uuid, attempt integer, worker uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.jobs_doorbell() FROM PUBLIC;

GRANT SELECT ON TABLE codeteam.workers TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.lease_ends(w codeteam.workers) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.look(topic text, job uuid, after_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.look(topic text, job uuid, after_seq bigint) TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.look(topic text, job uuid, after_seq bigint) TO codeteam_scaler;
GRANT ALL ON FUNCTION codeteam.look(topic text, job uuid, after_seq bigint) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.observe() FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.observe() TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.pause_mode(mode text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.pause_mode(mode text, reason text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.read_events(job uuid, after_seq bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.read_events(job uuid, after_seq bigint, most integer) TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.read_events(job uuid, after_seq bigint, most integer) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.record_decision(service text, previous integer, target integer, reason text, observation jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.record_decision(service text, previous integer, target integer, reason text, observation jsonb) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.register_worker(worker uuid, mode text, host text, pid integer, version text, sandbox text, lease_ms integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.register_worker(worker uuid, mode text, host text, pid integer, version text, sandbox text, lease_ms integer) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.release_job(job uuid, attempt integer, worker uuid, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.release_job(job uuid, attempt integer, worker uuid, reason text) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.renew_lease(worker uuid, in_time boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.requeue(job uuid, delay_ms bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.reserve(job uuid, attempt integer, worker uuid, call integer, model text, worst_case_micros bigint, worst_tokens bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.reserve(job uuid, attempt integer, worker uuid, call integer, model text, worst_case_micros bigint, worst_tokens bigint) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.resume_mode(mode text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.resume_mode(mode text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.retire_worker(worker uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.retire_worker(worker uuid) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.retry_job(job uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.retry_job(job uuid) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.ring(topics text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.schema_version() FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.schema_version() TO codeteam_api;
GRANT ALL ON FUNCTION codeteam.schema_version() TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.schema_version() TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.settle(job uuid, attempt integer, worker uuid, after_seq bigint, call integer, basis text, model text, cost_micros bigint, uncached bigint, cache_read bigint, cache_write_5m bigint, cache_write_1h bigint, output bigint, reasoning bigint, request_id text, raw_usage jsonb, kinds text[], data jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.settle(job uuid, attempt integer, worker uuid, after_seq bigint, call integer, basis text, model text, cost_micros bigint, uncached bigint, cache_read bigint, cache_write_5m bigint, cache_write_1h bigint, output bigint, reasoning bigint, request_id text, raw_usage jsonb, kinds text[], data jsonb[]) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.silent_workers(among uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.silent_workers(among uuid[]) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.submit_job(task text, repo text, prompt text, mode text, base text, test_command text, model text, step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, priority smallint, run_at timestamp with time zone, dedupe_key text, id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.submit_job(task text, repo text, prompt text, mode text, base text, test_command text, model text, step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, priority smallint, run_at timestamp with time zone, dedupe_key text, id uuid) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.submit_jobs(jobs jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.submit_jobs(jobs jsonb) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.sweep_expired(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.sweep_expired(most integer) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.wake(topic text, sleeper uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.wake(topic text, sleeper uuid) TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.wake(topic text, sleeper uuid) TO codeteam_scaler;
GRANT ALL ON FUNCTION codeteam.wake(topic text, sleeper uuid) TO codeteam_api;

GRANT SELECT ON TABLE codeteam.ledger TO codeteam_api;

GRANT SELECT ON TABLE codeteam.calls TO codeteam_api;

GRANT SELECT ON TABLE codeteam.pauses TO codeteam_api;

GRANT SELECT ON TABLE codeteam.events TO codeteam_api;

GRANT SELECT ON TABLE codeteam.scale_decisions TO codeteam_api;

