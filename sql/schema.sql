-- The schema as `pg_dump` 15 writes it, for reading. It is made, not edited: a test compares it.

CREATE SCHEMA codeteam;

CREATE FUNCTION codeteam.acknowledge_job(job uuid, by_whom text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held jobs := lock_job(job);
begin
  if held.state not in ('failed', 'dead') then
    raise exception 'job % is %: only a failed or dead job is to be acknowledged', job, held.state using errcode = 'QJ002';
  end if;
  return mark_acknowledged(array[job], by_whom) > 0;
end
$$;

CREATE FUNCTION codeteam.acknowledge_jobs(selection jsonb, by_whom text, most integer DEFAULT 500, dry_run boolean DEFAULT false) RETURNS TABLE(changed bigint, remaining bigint, as_of timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
  chosen uuid[] := '{}';
begin
  perform check_selection(acknowledge_jobs.selection), check_most(acknowledge_jobs.most);
  perform demand(dry_run is not null, 'dry_run', null, 'give true or false');
  as_of := clock_timestamp();
  if not dry_run then
    chosen := lock_dead(acknowledge_jobs.selection, most, false);
  end if;
  changed := mark_acknowledged(chosen, by_whom);
  select count(*) into remaining
  from (select from dead_letters(acknowledge_jobs.selection) limit case when dry_run then null else 10000 end) d;
  return next;
end
$$;

CREATE FUNCTION codeteam.add_spending(repo text, at timestamp with time zone, micros bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  mine  integer := pg_backend_pid() % 8;
  today date := budget_day(at);
begin
  update spending s
  set day = greatest(s.day, today), ever_micros = s.ever_micros + micros,
      day_micros = case when s.day = today then s.day_micros + micros when s.day < today then micros else s.day_micros end
  where s.repo = add_spending.repo and s.shard = mine;
  if not found then
    insert into spending as s (repo, shard, day, day_micros, ever_micros) values (add_spending.repo, mine, today, micros, micros)
    on conflict on constraint spending_pkey do update -- another one of this number was quicker: the same as above
    set day = greatest(s.day, today), ever_micros = s.ever_micros + micros,
        day_micros = case when s.day = today then s.day_micros + micros when s.day < today then micros else s.day_micros end;
  end if;
end
$$;

CREATE FUNCTION codeteam.advance_line(mode text, priority smallint, turn bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  line line_steps;
begin
  if current_setting('codeteam.line_advanced', true) = 'yes' then
    return;
  end if;
  select s.* into line from line_steps s where s.mode = advance_line.mode and s.priority = advance_line.priority
  order by s.step desc limit 1 for no key update skip locked;
  if not found then
    return; -- somebody else is at it
  end if;
  line.step := line.step + 1;
  if line.next_start > line.starts_at and line.next_xid is null then
    begin -- a subtransaction, and its row tells its id
      insert into line_steps select line.*;
    exception when division_by_zero then -- which cannot be; the clause is what makes it a subtransaction
      raise;
    end;
    update line_steps s set next_xid = (own + ((s.xmin::text::bigint - own) & 4294967295))::text::xid8 -- xmin has the lower half of it
    from cast(pg_current_xact_id()::text as bigint) as own
    where s.mode = line.mode and s.priority = line.priority and s.step = line.step;
  elsif line.next_start = line.starts_at or line.next_xid <= pg_snapshot_xmin(pg_current_snapshot()) then
    line.starts_at := least(line.next_start, (
      select j.turn from jobs j
      where j.state = 'queued' and j.waits_for is null and line_of(j.mode, j.priority) = line_of(line.mode, line.priority) and j.turn >= line.starts_at
      order by j.turn limit 1));
    line.next_start := greatest(turn, line.next_start);
    line.next_xid := null;
    insert into line_steps select line.*;
  else
    return; -- an old transaction is still under way
  end if;
  perform set_config('codeteam.line_advanced', 'yes', true);
  delete from line_steps s where s.mode = line.mode and s.priority = line.priority and s.step = line.step - 1;
end
$$;

CREATE FUNCTION codeteam.after_depth(job uuid, after uuid[]) RETURNS integer
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    AS $$ -- as in jobs_await
declare
  deepest integer;
  known   bigint;
begin
  if array_ndims(after) > 1 or array_position(after, null) is not null then
    raise exception 'job %: after holds a null or a list: write the ids of the jobs to wait for, and nothing else', job
      using errcode = 'QJ011';
  elsif cardinality(after) > 100 then
    raise exception 'job % is to come after % jobs, and 100 is the most: let a job in between wait for some of them',
      job, cardinality(after) using errcode = 'QJ011';
  elsif job = any (after) then
    raise exception 'job % is to come after itself: take it out of after', job using errcode = 'QJ011';
  end if;
  select max(a.depth), count(a.depth) into deepest, known from jobs a where a.id = any (after_depth.after);
  return case when known = (select count(distinct a) from unnest(after) a) then deepest + 1 end;
end
$$;

CREATE FUNCTION codeteam.announce_limits(mode text, min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select check_mode(mode), check_limits(min, max, floor, cool_down_ms, jobs_per_worker),
         demand(num_nulls(min, max, floor, cool_down_ms, jobs_per_worker) = 0, 'limits', 'partly null', 'say all five');
  update scale_limits l
  set own_min = announce_limits.min, own_max = announce_limits.max, own_floor = announce_limits.floor,
      own_cool_down_ms = announce_limits.cool_down_ms, own_jobs_per_worker = announce_limits.jobs_per_worker
  where l.mode = announce_limits.mode
$$;

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
  perform check_events(after_seq, kinds, data);
  perform hold(job, attempt, worker);
  last := write_events(job, attempt, after_seq, kinds, data);
  perform ring(array['events']);
  return last;
end
$$;

CREATE FUNCTION codeteam.await_again(job uuid) RETURNS boolean
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
begin
  insert into job_dependencies (job_id, after_id)
  select await_again.job, a.id
  from jobs j, lateral (select a.id, a.state from jobs a where a.id = any (j.after) offset 0) a
  where j.id = await_again.job and a.state in ('queued', 'running');
  if found then
    update jobs j set waits_for = 'jobs' where j.id = await_again.job;
    return true;
  end if;
  return false;
end
$$;

CREATE FUNCTION codeteam.await_jobs(job uuid) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  me    jobs;
  other record;
begin
  select j.* into me from jobs j where j.id = await_jobs.job;
  select x.id, a.state into other
  from unnest(me.after) as x (id) left join lateral (select a.state from jobs a where a.id = x.id offset 0) a on true
  where a.state is null or a.state in ('failed', 'cancelled', 'dead') limit 1;
  if found and other.state is null then
    raise exception 'job % is to come after job %, and there is none: give the id of a job that is there, or submit both together',
      job, other.id using errcode = 'QJ011';
  elsif found then
    raise exception 'job % is to come after job %, which is %: retry that one first, or take it out of after',
      job, other.id, other.state using errcode = 'QJ011';
  end if;
  if me.depth is null then
    perform rank_jobs(job);
  end if;
  insert into job_dependencies (job_id, after_id)
  select me.id, a.id from jobs a where a.id = any (me.after) and a.state <> 'succeeded'
  on conflict do nothing;
  if not exists (select from job_dependencies d where d.job_id = await_jobs.job) then
    perform free_jobs(array[job]);
  end if;
end
$$;

CREATE FUNCTION codeteam.batch_published(batch bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select demand(batch is not null, 'batch', null, 'name the batch that measure() gave');
  delete from metric_batches b where b.id = batch
$$;

CREATE FUNCTION codeteam.batch_tried(scaler uuid, epoch bigint, batch bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform demand(num_nulls(scaler, epoch, batch) = 0, 'a try', 'without scaler, epoch or batch', 'say all three');
  update metric_batches b set tried_at = clock_timestamp()
  where b.id = batch and exists (select from leader l where l.scaler = batch_tried.scaler and l.epoch = batch_tried.epoch);
  return found;
end
$$;

CREATE FUNCTION codeteam.budget_arrival() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform from budget_stops s
  where s.repo = new.repo and (s.opens_at is null or s.opens_at > clock_timestamp() + interval '1 second') for share;
  if not found then
    perform ring(array[new.mode, 'scaler']);
  end if;
  return null;
end
$$;

CREATE FUNCTION codeteam.budget_day(at timestamp with time zone) RETURNS date
    LANGUAGE sql IMMUTABLE
    AS $$
  select (at at time zone 'UTC')::date
$$;

CREATE FUNCTION codeteam.budget_key(repo text, period text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  if repo is not null and (repo !~ '\S' or octet_length(repo) > 2000) then
    raise exception 'no repository is named: give it as its jobs do, in 1 to 2000 bytes, or null for all together' using errcode = 'QJ007';
  elsif period is not null and period not in ('day', 'ever') then
    raise exception '% is no period of a budget: use day or ever', left(period, 100) using errcode = 'QJ007';
  end if;
  return coalesce(repo, '');
end
$$;

CREATE FUNCTION codeteam.busy_workers() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select distinct worker_id from jobs where state = 'running'
$$;

CREATE FUNCTION codeteam.came_up() RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
  select greatest(pg_catalog.pg_postmaster_start_time(), pg_catalog.pg_stat_get_bgwriter_stat_reset_time())
$$;

CREATE FUNCTION codeteam.cancel_job(job uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held jobs := lock_job(job);
begin
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

CREATE FUNCTION codeteam.capacity_drifted(scaler uuid, mode text, message text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select check_mode(mode), demand(num_nulls(scaler, message) = 0, 'a drift', 'without scaler or message', 'say both');
  insert into fleet_events (kind, mode, subject, message) values ('drifted', mode, scaler, left(message, 1000))
$$;

CREATE FUNCTION codeteam.check_budgets(repo text, at timestamp with time zone, micros bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  b      budgets;
  excess bigint;
  stop   stops_in_force;
begin
  for b in select c.* from budgets c where c.repo in ('', check_budgets.repo) order by c.repo, c.period loop
    if micros > b.limit_micros then
      raise exception 'the next call could cost %, and the whole % budget of % is %: raise it with `codeteam budget set`, or retry the '
        'job with a cost cap or a smaller token cap', dollars(micros), case b.period when 'day' then 'daily' else 'total' end,
        case b.repo when '' then 'all repositories' else 'this repository' end, dollars(b.limit_micros) using errcode = 'QJ004';
    end if;
    perform lock_budget(b.repo);
    excess := spent(b.repo, b.period, check_budgets.at) - b.limit_micros;
    if excess > 0 then
      raise exception '%: % of % are left, the next call could cost %',
        spent_words(b.repo, case b.period when 'day' then next_budget_day(check_budgets.at) end),
        dollars(greatest(micros - excess, 0)), dollars(b.limit_micros), dollars(micros) using errcode = 'QJ010';
    end if;
  end loop;
  select s.* into stop from stops_in_force s where s.repo in ('', check_budgets.repo) order by s.repo limit 1;
  if found then
    raise exception '%', spent_words(stop.repo, stop.opens_at) using errcode = 'QJ010';
  end if;
end
$$;

CREATE FUNCTION codeteam.check_changes(changes jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare
  wrong record;
begin
  perform check_keys(changes, array['prompt', 'model', 'setup_command', 'test_command', 'delivery', 'step_cap', 'token_cap', 'time_limit_ms',
    'cost_cap_micros', 'priority'], 'what a retry changes');
  select key, value, case when key in ('prompt', 'model', 'setup_command', 'test_command', 'delivery') then 'text' else 'a whole number' end as wanted into wrong
  from jsonb_each(changes)
  where case when key = 'prompt' then jsonb_typeof(value) <> 'string'
             when key in ('model', 'setup_command', 'test_command', 'delivery') then jsonb_typeof(value) not in ('string', 'null')
             else jsonb_typeof(value) not in ('number', 'null') or value::text ~ '[.]' end
  limit 1;
  if found then
    raise exception '% cannot become %: give %', wrong.key, left(wrong.value::text, 100), wrong.wanted using errcode = 'QJ007';
  end if;
end
$$;

CREATE FUNCTION codeteam.check_events(after_seq bigint, kinds text[], data jsonb[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $_$
begin
  if after_seq is null or after_seq < 0 then
    perform demand(false, 'after_seq', after_seq::text, 'give the last seq that you know of, or 0');
  elsif kinds is null or array_ndims(kinds) > 1 or array_to_string(kinds, ' ', '?') !~ '^([a-z_]{1,40}( (?!$)|$))*$'
        or cardinality(string_to_array(array_to_string(kinds, ' ', '?'), ' ')) <> cardinality(kinds) then
    perform demand(false, 'kinds', kinds::text, 'give an array of words of a to z and _, each of at most 40 letters');
  elsif data is null or array_ndims(data) > 1 or cardinality(data) <> cardinality(kinds) or array_position(data, null) is not null then
    perform demand(false, 'data', cardinality(data) || ' values', 'give a JSON value for each of the kinds');
  end if;
end
$_$;

CREATE FUNCTION codeteam.check_exit_reason(exit_reason text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  if (exit_reason in ('finished', 'step_cap', 'token_cap', 'time_limit', 'cost_cap', 'cancelled', 'interrupted', 'model_error',
                      'sandbox_error', 'delivery_error', 'lost_worker')) is not true then
    perform demand(false, 'exit_reason', exit_reason, 'give finished, step_cap, token_cap, time_limit, cost_cap, cancelled, interrupted, '
      || 'model_error, sandbox_error, delivery_error or lost_worker');
  end if;
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
    waits_for text,
    turn bigint DEFAULT 0 NOT NULL,
    group_key text,
    group_limit smallint DEFAULT 1 NOT NULL,
    after uuid[],
    depth integer DEFAULT 0,
    fingerprint text,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    head text,
    setup_command text,
    delivery text
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.01', autovacuum_analyze_scale_factor='0.02', toast_tuple_target='256', vacuum_truncate=off, toast.autovacuum_vacuum_scale_factor='0.02');

CREATE FUNCTION codeteam.check_job(job codeteam.jobs) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare
  wrong text := wrong_with(job);
begin
  if wrong is not null then
    raise exception '%', wrong using errcode = 'QJ007';
  end if;
end
$$;

CREATE FUNCTION codeteam.check_jobs(jobs jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare
  texts   constant text[] := array['id', 'mode', 'task', 'repo', 'base', 'head', 'prompt', 'setup_command', 'test_command', 'delivery', 'model',
    'run_at', 'dedupe_key', 'group_key'];
  numbers constant text[] := array['step_cap', 'token_cap', 'time_limit_ms', 'cost_cap_micros', 'priority', 'group_limit'];
  wrong   record;
begin
  if jsonb_typeof(jobs) is distinct from 'array'
     or exists (select from jsonb_array_elements(jobs) e where jsonb_typeof(e) <> 'object') then
    raise exception 'jobs is no array of objects: write [{"task": ..., "repo": ..., "prompt": ...}]' using errcode = 'QJ007';
  end if;
  select x.n, k.key, k.value into wrong
  from jsonb_array_elements(jobs) with ordinality as x (job, n) cross join jsonb_each(x.job) as k
  where case when jsonb_typeof(k.value) = 'null' then k.key <> 'after' and k.key <> all (texts) and k.key <> all (numbers)
             when k.key = any (texts) then jsonb_typeof(k.value) <> 'string'
             when k.key = any (numbers) then jsonb_typeof(k.value) <> 'number' or k.value::text like '%.%'
             when k.key = 'after' then jsonb_typeof(k.value) <> 'array'
             else true end
  limit 1;
  if not found then
    return;
  elsif wrong.key <> 'after' and wrong.key <> all (texts) and wrong.key <> all (numbers) then
    raise exception 'a job has no %: use %', left(wrong.key, 100), array_to_string(texts || numbers || 'after'::text, ', ')
      using errcode = 'QJ007';
  end if;
  raise exception '% of job % cannot be %: give %', wrong.key, wrong.n, left(wrong.value::text, 100), case
    when wrong.key = any (texts) then 'a text'
    when wrong.key = any (numbers) then 'a whole number'
    else 'an array of ids' end using errcode = 'QJ007';
end
$$;

CREATE FUNCTION codeteam.check_keys(given jsonb, known text[], what text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare
  strange text;
begin
  if jsonb_typeof(given) is distinct from 'object' then
    raise exception '% is an object of %', what, array_to_string(known, ', ') using errcode = 'QJ007';
  end if;
  select k into strange from jsonb_object_keys(given) k where not k = any (known) limit 1;
  if found then
    raise exception '% has no %: use %', what, strange, array_to_string(known, ', ') using errcode = 'QJ007';
  end if;
end
$$;

CREATE FUNCTION codeteam.check_limits(min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  perform demand(coalesce(min, 0) between 0 and 1000, 'min', min::text, 'give workers from 0 to 1000'),
          demand(coalesce(max, 0) between 0 and 1000, 'max', max::text, 'give workers from 0 to 1000'),
          demand(coalesce(floor, 0) between 0 and 1000, 'floor', floor::text, 'give workers from 0 to 1000'),
          demand(coalesce(cool_down_ms, 0) between 0 and 86400000, 'cool_down_ms', cool_down_ms::text, 'give milliseconds from 0 to 86400000'),
          demand(coalesce(jobs_per_worker, 1) between 1 and 1000, 'jobs_per_worker', jobs_per_worker::text, 'give jobs from 1 to 1000'),
          demand((min > max) is not true, 'min', min || ' with a max of ' || max, 'give a minimum that is not above the maximum'),
          demand((floor > max) is not true, 'floor', floor || ' with a max of ' || max, 'give a floor that is not above the maximum');
end
$$;

CREATE FUNCTION codeteam.check_mode(mode text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  perform demand(mode in ('mechanic', 'genius'), 'mode', mode, 'give mechanic or genius');
end
$$;

CREATE FUNCTION codeteam.check_most(most bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  perform demand(most >= 1, 'most', most::text, 'give a number from 1');
end
$$;

CREATE FUNCTION codeteam.check_results(results jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $_$
declare
  wrong jsonb;
begin
  if (jsonb_typeof(results) = 'array') is not true then
    perform demand(false, 'results', results::text, 'give an array of objects, one for each job');
  end if;
  select r into wrong from jsonb_array_elements(results) r
  where ((r ->> 'job') ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
         and (r ->> 'attempt') ~ '^\d{1,9}$' and (r ->> 'after_seq') ~ '^\d{1,18}$'
         and r ? 'state' and r ? 'outcome' and r ? 'exit_reason' and jsonb_typeof(r -> 'error') in ('string', 'null')
         and jsonb_typeof(r -> 'events') = 'array') is not true
     or exists (select from jsonb_array_elements(case when jsonb_typeof(r -> 'events') = 'array' then r -> 'events' else '[]' end) e
                where ((e ->> 'kind') ~ '^[a-z_]{1,40}$' and e ? 'data') is not true)
  limit 1;
  if found then
    perform demand(false, 'a result', wrong::text, 'give job, attempt, after_seq, state, outcome, exit_reason, error and events, '
      || 'an array of {"kind": ..., "data": ...}');
  elsif (select count(*) > count(distinct (r ->> 'job')::uuid) from jsonb_array_elements(results) r) then
    perform demand(false, 'results', 'two of the same job', 'give one for each job');
  end if;
end
$_$;

CREATE FUNCTION codeteam.check_selection(selection jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
declare
  said text;
begin
  perform check_keys(selection, array['state', 'mode', 'repo', 'task', 'exit_reason', 'fingerprint', 'finished_after',
    'finished_before', 'ids'], 'a selection of dead letters');
  if selection ->> 'state' not in ('failed', 'dead') then
    raise exception 'a dead letter is never %: select failed or dead', selection ->> 'state' using errcode = 'QJ007';
  elsif jsonb_typeof(selection -> 'ids') not in ('array', 'null') then
    raise exception 'ids is no array: write ["ID", ...]' using errcode = 'QJ007';
  end if;
  perform (selection ->> 'finished_after')::timestamptz, (selection ->> 'finished_before')::timestamptz,
          (select count(i::uuid) from jsonb_array_elements_text(nullif(selection -> 'ids', 'null')) i);
exception
  when data_exception then
    get stacked diagnostics said = message_text;
    raise exception 'the selection cannot be read: %: write times as 2030-01-31T08:00:00Z and ids in full', said
      using errcode = 'QJ007';
end
$$;

CREATE FUNCTION codeteam.check_sla(sla_ms bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  perform demand(sla_ms between 1000 and 604800000, 'sla_ms', sla_ms::text, 'give milliseconds from 1000 to 604800000');
end
$$;

CREATE FUNCTION codeteam.check_topic(topic text, sleeper uuid, job uuid, after_seq bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  perform demand(topic in ('mechanic', 'genius', 'scaler', 'events'), 'topic', topic, 'give mechanic, genius, scaler or events');
  perform demand(sleeper is not null, 'sleeper', null, 'give an id of your own');
  perform demand(topic <> 'events' or job is not null, 'job', null, 'name the job whose events are waited for');
  perform demand(after_seq >= 0, 'after_seq', after_seq::text, 'give the last seq that you have seen, or 0');
end
$$;

CREATE FUNCTION codeteam.claim_jobs(worker uuid, mode text, most integer DEFAULT 1) RETURNS TABLE(id uuid, attempt integer, seq bigint, failures smallint, task text, repo text, base text, head text, prompt text, setup_command text, test_command text, delivery text, model text, step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, lost_calls integer, lost_tokens bigint, lost_micros bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $$
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

CREATE FUNCTION codeteam.clear_budget(repo text, period text DEFAULT NULL::text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  key text := budget_key(repo, period);
begin
  perform hold_spending();
  delete from budgets b where b.repo = key and (clear_budget.period is null or b.period = clear_budget.period);
  if not found then
    return false;
  end if;
  perform weigh_stop(key, clock_timestamp());
  return true;
end
$$;

CREATE FUNCTION codeteam.clear_limits(mode text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform check_mode(mode);
  update scale_limits l
  set min = null, max = null, floor = null, cool_down_ms = null, jobs_per_worker = null
  where l.mode = clear_limits.mode and num_nonnulls(l.min, l.max, l.floor, l.cool_down_ms, l.jobs_per_worker) > 0;
  if not found then
    return false;
  end if;
  insert into fleet_events (kind, mode, message) values ('limits_changed', mode, 'limits are the scaler''s own again');
  perform ring(array['scaler']);
  return true;
end
$$;

CREATE FUNCTION codeteam.counts(most integer DEFAULT 10000) RETURNS TABLE(mode text, state text, jobs bigint, more boolean, swept bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$ -- from the index alone, not from whatever part of the table comes first
  select check_most(most);
  select m.mode, s.state, least(c.jobs, b.most), c.jobs > b.most,
         coalesce((select sum(d.jobs) from swept_days d where d.mode = m.mode and d.state = s.state), 0)::bigint
  from (select least(greatest(counts.most, 1), 1000000)) as b (most)
  cross join unnest(array['mechanic', 'genius']) as m (mode)
  cross join unnest(array['queued', 'running', 'succeeded', 'failed', 'cancelled', 'dead']) as s (state)
  cross join lateral (
    select count(*) from (select from jobs j where j.state = s.state and j.mode = m.mode limit b.most + 1) j
  ) as c (jobs)
$$;

CREATE FUNCTION codeteam.dead_letters(selection jsonb) RETURNS SETOF codeteam.jobs
    LANGUAGE sql STABLE
    AS $$
  select j.* from jobs j
  where j.state in ('failed', 'dead') and j.acknowledged_at is null
    and (selection ->> 'state' is null or j.state = selection ->> 'state')
    and (selection ->> 'mode' is null or j.mode = selection ->> 'mode')
    and (selection ->> 'repo' is null or j.repo = selection ->> 'repo')
    and (selection ->> 'task' is null or j.task = selection ->> 'task')
    and (selection ->> 'exit_reason' is null or j.exit_reason = selection ->> 'exit_reason')
    and (selection ->> 'fingerprint' is null or j.fingerprint = selection ->> 'fingerprint')
    and (selection ->> 'finished_after' is null or j.finished_at > (selection ->> 'finished_after')::timestamptz)
    and (selection ->> 'finished_before' is null or j.finished_at < (selection ->> 'finished_before')::timestamptz)
    and (selection ->> 'ids' is null or j.id = any (array(select i::uuid from jsonb_array_elements_text(selection -> 'ids') i)))
$$;

CREATE FUNCTION codeteam.decision_called(decision bigint, ago_ms bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select demand(decision is not null and ago_ms between 0 and 86400000, 'a call', format('for %s, %s ms ago', decision, ago_ms), 'give a decision and a number from 0 to 86400000');
  update scale_decisions d set called_at = greatest(d.at, statement_timestamp() - make_interval(secs => ago_ms / 1000.0))
  where d.id = decision and d.called_at is null
$$;

CREATE FUNCTION codeteam.demand(holds boolean, field text, given text, instead text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  if holds is not true then
    raise exception '% cannot be %: %', field, coalesce(left(given, 100), 'null'), instead using errcode = 'QJ007';
  end if;
end
$$;

CREATE FUNCTION codeteam.dependencies_confirm() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$ -- as in jobs_await
declare
  awaited uuid[];
  ended   uuid[];
begin
  if (select d.confirmed from job_dependencies d where d.job_id = new.job_id and d.after_id = new.after_id) is distinct from false then
    return null; -- an earlier call saw to it, or it is gone
  end if;
  -- None but this transaction's own are visible and unconfirmed.
  awaited := array(select distinct d.after_id from job_dependencies d where not d.confirmed);
  perform from jobs a where a.id = any (awaited) order by a.depth, a.id for share;
  update job_dependencies d set confirmed = true where not d.confirmed;
  ended := array(select a.id from jobs a where a.id = any (awaited) and a.state not in ('queued', 'running'));
  if ended <> '{}' then
    perform end_waiting(ended);
  end if;
  return null;
end
$$;

CREATE FUNCTION codeteam.dollars(micros bigint) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $_$
  select '$' || round(micros / 1000000.0, 6)
$_$;

CREATE FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid DEFAULT NULL::uuid, after_seq bigint DEFAULT 0) RETURNS TABLE(newly_armed boolean, ready boolean, next_due_ms bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  armed boolean := not exists (
    select from sleepers s where s.topic = doze.topic and s.sleeper = doze.sleeper and s.backend = pg_backend_pid());
begin
  perform check_topic(topic, sleeper, job, after_seq);
  perform set_config('synchronous_commit', 'off', true);
  if armed then
    delete from sleepers s where not exists (select from pg_stat_activity a where a.pid = s.backend);
    insert into sleepers as s (topic, sleeper, backend) values (doze.topic, doze.sleeper, pg_backend_pid())
    on conflict on constraint sleepers_pkey do update set backend = pg_backend_pid();
  end if;
  update workers w set heartbeat_at = clock_timestamp(), stopped_at = null where w.id = doze.sleeper;
  if topic = 'scaler' then
    perform leader_dozes(sleeper);
  end if;
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
begin
  perform end_jobs(array[job], array[state], array[outcome], array[exit_reason], array[error]);
end
$$;

CREATE FUNCTION codeteam.end_jobs(ids uuid[], states text[], outcomes text[], exit_reasons text[], errors text[]) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
declare
  deep     uuid[]; -- those that may have waited for other jobs until now
  grouped  uuid[]; -- those that had a place in their group, to be handed on
  awaited  boolean; -- whether others wait for them
  sleeping boolean; -- whether anybody is to be rung for
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'jobs are ended at READ COMMITTED only' using errcode = 'QJ009',
      hint = 'set default_transaction_isolation to ''read committed'' for this role';
  elsif (states <@ array['succeeded', 'failed', 'cancelled', 'dead'] and outcomes <@ array['verified', 'unverified', 'failed', 'none']
             and exit_reasons <@ array['finished', 'step_cap', 'token_cap', 'time_limit', 'cost_cap', 'cancelled', 'interrupted',
                                       'model_error', 'sandbox_error', 'delivery_error', 'lost_worker']) is not true then
    perform demand(w in ('succeeded', 'failed', 'cancelled', 'dead'), 'state', w, 'give succeeded, failed, cancelled or dead')
    from unnest(states) w;
    perform demand(w in ('verified', 'unverified', 'failed', 'none'), 'outcome', w, 'give verified, unverified, failed or none')
    from unnest(outcomes) w;
    perform check_exit_reason(w) from unnest(exit_reasons) w;
  end if;
  with ended as (
    update jobs j
    set state = e.state, outcome = e.outcome, exit_reason = e.exit_reason, error = e.error,
        fingerprint = case when e.state in ('failed', 'dead') then error_fingerprint(e.exit_reason, e.error) end,
        finished_at = clock_timestamp(), worker_id = null, waits_for = null
    from unnest(ids, states, outcomes, exit_reasons, errors) as e (id, state, outcome, exit_reason, error)
    where j.id = e.id
    returning j.id, j.attempt, j.state, j.outcome, j.exit_reason, j.error, j.depth, j.group_key, j.turn, j.mode, j.started_at, j.finished_at
  ), counted as (
    insert into measurements (mode, what, value)
    select e.mode, case e.state when 'succeeded' then 'succeeded' else 'failed' end,
           (extract(epoch from e.finished_at - e.started_at) * 1000)::bigint
    from ended e where e.state <> 'cancelled' and e.started_at is not null
  ), told as (
    insert into events (job_id, seq, attempt, kind, data)
    select e.id, 1 + coalesce((select max(v.seq) from events v where v.job_id = e.id), 0), e.attempt, 'finished',
           jsonb_build_object('state', e.state, 'outcome', e.outcome, 'exit_reason', e.exit_reason, 'error', e.error)
    from ended e
  )
  select array_agg(e.id) filter (where e.depth > 0),
         array_agg(e.id) filter (where e.group_key is not null and e.turn >= 0), -- a parked one had no place
         exists (select from job_dependencies d where d.after_id = any (ids)),
         exists (select from sleepers)
  into deep, grouped, awaited, sleeping from ended e;
  if sleeping then
    perform ring(array['events']);
  end if;
  if deep is not null then
    with freed as (delete from job_dependencies d where d.job_id = any (deep) returning d.job_id)
    select array_agg(g) into grouped from unnest(grouped) g where g not in (select f.job_id from freed f);
  end if;
  -- The group before the dependants: who cancels a parked job of it holds that row, and may want theirs.
  if grouped is not null then
    perform leave_group(g.group_key) -- once for each place
    from (select j.group_key from jobs j where j.id = any (grouped) order by j.group_key) g;
  end if;
  if awaited then
    perform end_waiting(ids);
  end if;
end
$$;

CREATE FUNCTION codeteam.end_waiting(ended uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$ -- as in jobs_await
declare
  good   uuid[] := array(select j.id from jobs j where j.id = any (ended) and j.state = 'succeeded');
  bad    uuid[] := array(select e from unnest(ended) e where e <> all (good));
  next   uuid[]; -- come right after a good one
  doomed uuid[]; -- come after a bad one, however far down
begin
  loop
    next := array(select d.job_id from unnest(good) g, lateral (select d.job_id from job_dependencies d where d.after_id = g offset 0) d);
    doomed := array(
      with recursive below (id) as (
        select d.job_id from unnest(bad) b, lateral (select d.job_id from job_dependencies d where d.after_id = b offset 0) d
        union
        select d.job_id from below b, lateral (select d.job_id from job_dependencies d where d.after_id = b.id offset 0) d
      )
      select id from below);
    begin
      perform from jobs j where j.id = any (next || doomed) order by j.depth, j.id for no key update;
      exit when not exists (
        select from unnest(doomed) x, lateral (select d.job_id from job_dependencies d where d.after_id = x offset 0) d
        where d.job_id not in (select unnest(doomed)));
      raise exception using errcode = 'QJ000';
    exception when sqlstate 'QJ000' then
      null; -- gives the locks back
    end;
  end loop;

  delete from job_dependencies d where d.after_id = any (good);
  -- Whoever settles another one of theirs at this moment waits for these locks, and will see that it was the last.
  perform free_jobs(array(
    select n from unnest(next) n where (select count(*) from job_dependencies d where d.job_id = n) = 0));
  -- Those that somebody has ended in the meantime wait for nothing any more.
  perform end_jobs(array_agg(w.id), array_agg('cancelled'::text), array_agg('none'::text), array_agg('cancelled'::text), array_agg(
    format('it comes after job %s, which is %s: retry that one, then this one', w.after_id, w.state)))
  from (
    select x.id, why.*
    from unnest(doomed) x (id), lateral (
      select d.after_id, case when d.after_id = any (bad) then a.state else 'cancelled' end as state
      from job_dependencies d, lateral (select a.state from jobs a where a.id = d.after_id offset 0) a
      where d.job_id = x.id and (d.after_id = any (bad) or d.after_id in (select unnest(doomed)))
      order by d.after_id <> all (bad) limit 1) why
  ) w
  having count(*) > 0;
end
$$;

CREATE FUNCTION codeteam.error_fingerprint(exit_reason text, error text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
declare
  said text := lower(left(regexp_replace(coalesce(error, ''), '^given up after \d+ attempts: ', ''), 2000));
begin
  -- Each becomes a lone '?'. The order matters: an address holds a path, a path holds numbers.
  said := regexp_replace(said, '"(\\.|[^"\\])*"|`[^`]*`|“[^”]*”|‘[^’]*’', ' ? ', 'g');
  said := regexp_replace(said, '(?<![[:alnum:]])''[^'']*''(?![[:alnum:]])', ' ? ', 'g'); -- an apostrophe is no quote
  said := regexp_replace(said, '[a-z][a-z0-9+.-]*://\S+|[^\s@]+@[^\s:]+:\S*', ' ? ', 'g');
  said := regexp_replace(said, '[^\s/(,;:=]*(/[^\s/(),;:=]+)+/?', ' ? ', 'g');
  said := regexp_replace(said, 'such as [^;()]+', 'such as ? ', 'g');
  said := regexp_replace(said, '[^\s:(,]+:\d+(:\d+)?', ' ? ', 'g'); -- a line of a file, the port of a host
  said := regexp_replace(said, '\m(http|exit code|signal) (\d+)\M', '\1 #\2#', 'g');
  said := regexp_replace(said, '(?<!#)\m[[:alnum:]_-]*\d[[:alnum:]_-]*\M(?!#)|\m[0-9a-f]{7,}\M', ' ? ', 'g');
  said := regexp_replace(said, '\m[[:alnum:]_-]+(\.[[:alnum:]_-]+)+\M', ' ? ', 'g');
  said := regexp_replace(said, '[^[:alnum:]?]+', ' ', 'g');
  said := regexp_replace(said, '\?( \?)+', '?', 'g');
  said := left(said, 300); -- the next step's time grows faster than its text
  said := btrim(regexp_replace(said, '(\? [[:alpha:]]+)( \1)+', '\1', 'g'));
  return left(md5(coalesce(exit_reason, '') || ': ' || said), 16);
end
$$;

CREATE FUNCTION codeteam.fail_attempt(job uuid, attempt integer, worker uuid, exit_reason text, error text, retry_in_ms bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  delay_ms bigint := case when retry_in_ms is not null then least(greatest(retry_in_ms, 1), 86400000) end;
begin
  perform check_exit_reason(exit_reason);
  perform demand(error is not null, 'error', null, 'say what went wrong');
  perform hold(job, attempt, worker);
  update jobs j set failures = j.failures + 1, error = fail_attempt.error where j.id = fail_attempt.job;
  perform append_event(job, attempt, 'attempt_failed', jsonb_build_object(
    'reason', exit_reason, 'error', error, 'retry_in_ms', delay_ms));
  return end_attempt(job, delay_ms is not null, delay_ms, exit_reason, error);
end
$$;

CREATE FUNCTION codeteam.finish_job(job uuid, attempt integer, worker uuid, after_seq bigint, state text, outcome text, exit_reason text, error text, kinds text[], data jsonb[]) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
declare
  stands record;
begin
  if (kinds = '{}' and data = '{}' and after_seq >= 0) is not true then
    perform check_events(after_seq, kinds, data);
  end if;
  -- Locked before it is looked: the same call may be under way on a connection that the caller has given up.
  select j.state, j.attempt, j.worker_id, j.finished_at into stands from jobs j where j.id = finish_job.job for no key update;
  if stands.attempt = finish_job.attempt and stands.finished_at is not null then
    return stands.state;
  end if;
  if (stands.state = 'running' and stands.attempt = finish_job.attempt and stands.worker_id = finish_job.worker) is not true then
    perform hold(job, attempt, worker); -- raises, in the words that all fences have
  end if;
  if kinds <> '{}' then
    perform write_events(job, attempt, after_seq, kinds, data);
  end if;
  perform end_jobs(array[job], array[state], array[outcome], array[exit_reason], array[error]);
  return state;
end
$$;

CREATE FUNCTION codeteam.finish_jobs(worker uuid, results jsonb) RETURNS TABLE(job uuid, state text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$ -- as in end_jobs
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

CREATE FUNCTION codeteam.follow_wakes() RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
  open integer;
begin
  with open_ones as (
    select d.id, (select min(w.started_at) from workers w where w.mode = split_part(d.service, '-', 1) and w.started_at >= d.at) as heard,
           (select min(e.at) from events e where e.job_id = d.job_id and e.kind = 'claimed' and e.at >= d.queued_at) as claimed
    from scale_decisions d
    where d.queued_at is not null and d.claimed_at is null and d.at > clock_timestamp() - interval '1 hour'
  ), come as (
    update scale_decisions d
    set first_heartbeat_at = coalesce(d.first_heartbeat_at, o.heard), claimed_at = o.claimed
    from open_ones o
    where d.id = o.id and (o.claimed is not null or d.first_heartbeat_at is null and o.heard is not null)
    returning d.service, d.queued_at, d.claimed_at
  ), told as (
    insert into measurements (mode, what, value)
    select split_part(c.service, '-', 1), 'wake', greatest(extract(epoch from c.claimed_at - c.queued_at) * 1000, 0)::bigint
    from come c where c.claimed_at is not null
  )
  select count(*) into open
  from open_ones o join scale_decisions d on d.id = o.id
  where o.claimed is null and exists (select from jobs j where j.id = d.job_id and j.state = 'queued');
  return open;
end
$$;

CREATE FUNCTION codeteam.free_jobs(ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  modes text[];
begin
  with freed as (
    update jobs j set waits_for = 'time'
    from (select w.id, w.waits_for from jobs w where w.id = any (ids) offset 0) w
    where w.waits_for = 'jobs' and j.id = w.id returning j.mode)
  select array_agg(distinct f.mode) into modes from freed f;
  if modes is not null then
    perform ring(modes || 'scaler'::text);
  end if;
end
$$;

CREATE FUNCTION codeteam.give_back(held codeteam.jobs, reason text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  perform append_event(held.id, held.attempt, 'released', jsonb_build_object('reason', reason));
  if held.cancel_requested then
    perform end_job(held.id, 'cancelled', 'none', 'cancelled', null);
  else
    perform requeue(held.id, 0);
  end if;
end
$$;

CREATE FUNCTION codeteam.group_dead(selection jsonb DEFAULT '{}'::jsonb, most integer DEFAULT 100) RETURNS TABLE(fingerprint text, jobs bigint, repos bigint, latest timestamp with time zone, example uuid, exit_reason text, error text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
begin
  perform check_selection(group_dead.selection), check_most(group_dead.most);
  return query
  select g.fingerprint, g.jobs, g.repos, e.finished_at, e.id, e.exit_reason, e.error
  from (select d.fingerprint, count(*) as jobs, count(distinct d.repo) as repos
        from dead_letters(group_dead.selection) d group by d.fingerprint
        order by 2 desc, 1 limit group_dead.most) g
  cross join lateral (
    select d.id, d.exit_reason, d.error, d.finished_at from dead_letters(group_dead.selection) d
    where d.fingerprint = g.fingerprint order by d.finished_at desc, d.id desc limit 1) e
  order by g.jobs desc, g.fingerprint;
end
$$;

CREATE FUNCTION codeteam.group_has_room(group_key text, group_limit smallint, wait boolean) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
begin
  if wait then
    perform lock_group(group_has_room.group_key);
  elsif not pg_try_advisory_xact_lock(hashtextextended('codeteam group ' || group_has_room.group_key, 0)) then
    return null;
  end if;
  return (select count(*) from jobs j where j.group_key = group_has_room.group_key and j.state = 'running') < group_has_room.group_limit;
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
WITH (fillfactor='50', autovacuum_vacuum_threshold='20', autovacuum_vacuum_scale_factor='0', vacuum_truncate=off);

CREATE FUNCTION codeteam.heard_at(w codeteam.workers) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
  select greatest(w.heartbeat_at, codeteam.came_up())
$$;

CREATE FUNCTION codeteam.heartbeat(worker uuid, job_ids uuid[], attempts integer[]) RETURNS TABLE(job_id uuid, verdict text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
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

CREATE FUNCTION codeteam.hold_spending() RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  lock table spending in share row exclusive mode;
end
$$;

CREATE FUNCTION codeteam.jobs_arrive() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $$
declare
  wrong    text;
  own_id   xid8;
  last     bigint; -- turn of its repository
  stopped  boolean; -- whether any budget is spent
  sleeping boolean; -- whether anybody is to be rung for
begin
  if new.state <> 'queued' then
    return new; -- the owner restores what was finished elsewhere
  end if;
  wrong := wrong_with(new);
  if wrong is not null then
    raise exception '%', wrong using errcode = 'QJ007';
  end if;
  if new.after <> '{}' then
    new.waits_for := 'jobs'; -- see after_arrive.sql
    new.depth := after_depth(new.id, new.after);
    return new;
  end if;
  own_id := pg_current_xact_id(); -- before the look. (Assigned, because PERFORM is a query of its own.)
  select l.turn, exists (select from budget_stops), exists (select from sleepers) into last, stopped, sleeping
  from last_turn(new.mode, new.priority, new.repo) l;
  if new.run_at > now() or current_setting('transaction_isolation') <> 'read committed' then
    new.waits_for := 'time';
    sleeping := true; -- this snapshot may be an old one: ring() decides
  elsif stopped and exists (select from stops_in_force s where s.repo = new.repo) then
    new.waits_for := 'budget';
    return new; -- nobody is woken: see budget_stops.sql
  else
    new.waits_for := null;
    new.turn := next_turn(last, new.mode, new.priority);
  end if;
  if sleeping then
    perform ring(array[new.mode, 'scaler']);
  end if;
  return new;
end
$$;

CREATE FUNCTION codeteam.jobs_await() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
begin
  perform await_jobs(new.id);
  return null;
end
$$;

CREATE FUNCTION codeteam.jobs_leave() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  delete from events e using gone g where e.job_id = g.id;
  perform leave_group(g.group_key)
  from (select o.group_key from gone o where o.group_key is not null and o.state in ('queued', 'running') order by o.group_key) g;
  return null;
end
$$;

CREATE FUNCTION codeteam.lane_of(mode text, priority smallint, repo text) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$
  select hashtextextended(repo, codeteam.line_of(mode, priority))
$$;

CREATE FUNCTION codeteam.last_turn(mode text, priority smallint, repo text) RETURNS TABLE(turn bigint)
    LANGUAGE sql STABLE
    AS $$
  select (select greatest(j.turn, l.next_start) from jobs j
          where j.state = 'queued' and j.waits_for is null
            and lane_of(j.mode, j.priority, j.repo) = lane_of(l.mode, l.priority, last_turn.repo) and j.turn >= l.starts_at
          order by j.turn desc limit 1)
  from line_beginnings l where l.mode = last_turn.mode and l.priority = last_turn.priority
$$;

CREATE FUNCTION codeteam.lead(scaler uuid) RETURNS TABLE(leads boolean, epoch bigint, act_after_ms bigint, act_until_ms bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  stands leader;
  asked  timestamptz := clock_timestamp();
  before timestamptz := asked; -- until then somebody else may act
  free   boolean;
begin
  perform demand(scaler is not null, 'scaler', null, 'give an id of your own');
  if not may_lead(scaler, asked) then -- without a lock: a standby asks often
    return query select false, l.epoch, null::bigint, (extract(epoch from lead_for()) * 1000)::bigint from leader l;
    return;
  end if;
  select l.* into stands from leader l for no key update;
  if stands.scaler is distinct from lead.scaler then
    if not may_lead(scaler, asked) then -- somebody was quicker
      return query select false, stands.epoch, null::bigint, (extract(epoch from lead_for()) * 1000)::bigint;
      return;
    end if;
    free := stands.scaler is null or stands.heard_until > asked;
    -- No promise lasts longer than this, whatever the clock of this server or of the one before it says; and one that was made just
    -- before a crash may be gone, though who heard it still keeps to it. Who resigned keeps to none.
    if stands.scaler is not null then
      before := least(greatest(asked, stands.acts_until, came_up() + lead_for()), asked + lead_for());
    end if;
    stands.epoch := stands.epoch + 1;
    update leader l set since = clock_timestamp(), trouble = null, trouble_since = null;
    insert into fleet_events (kind, subject, message)
    values ('leader_changed', lead.scaler, case when stands.scaler is null then 'a scaler leads' when free then 'a standby leads: the scaler before it went'
                                                else 'a standby leads: the scaler before it hangs' end);
    perform ring(array['scaler']); -- one that was deposed in its sleep learns of it
  end if;
  perform pg_advisory_unlock_all(), pg_try_advisory_lock(class.id, stands.epoch::integer) from lead_class() as class (id);
  if stands.scaler = lead.scaler then
    -- A leader that wakes does not wait for the disk: see came_up().
    perform set_config('synchronous_commit', 'off', true);
  end if;
  update leader l
  set epoch = stands.epoch, scaler = lead.scaler,
      acts_until = before + lead_for(), heard_until = before + lead_for() * 1.5;
  return query select true, stands.epoch, (extract(epoch from before - asked) * 1000)::bigint,
                      (extract(epoch from before + lead_for() - asked) * 1000)::bigint;
end
$$;

CREATE FUNCTION codeteam.lead_class() RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$ select 1668246356 $$;

CREATE FUNCTION codeteam.lead_for() RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$ select interval '10 seconds' $$;

CREATE FUNCTION codeteam.leader_dozes(scaler uuid) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  update leader l set heard_until = clock_timestamp() + interval '75 seconds'
  where l.scaler = leader_dozes.scaler and session_user not in ('codeteam_worker', 'codeteam_api'); -- who may doze, but not lead
end
$$;

CREATE FUNCTION codeteam.lease_ends(w codeteam.workers) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
  select greatest(w.lease_expires_at, codeteam.came_up() + pg_catalog.make_interval(secs => w.lease_ms / 1000.0))
$$;

CREATE FUNCTION codeteam.leave_group(group_key text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  running bigint;
  kind    text;
  next    uuid;
begin
  perform lock_group(leave_group.group_key);
  select count(*) into running from jobs j where j.group_key = leave_group.group_key and j.state = 'running';
  foreach kind in array array['mechanic', 'genius'] loop
    select j.id into next from jobs j
    where j.group_key = leave_group.group_key and j.state = 'queued' and j.waits_for = 'group' and j.mode = kind
      and j.group_limit > running
    order by j.priority desc, j.run_at, j.id limit 1 for no key update;
    if found then
      perform line_up(next);
      perform ring(array[kind, 'scaler']);
    end if;
  end loop;
end
$$;

CREATE FUNCTION codeteam.line_of(mode text, priority smallint) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$
  select priority + case mode when 'genius' then 10 else 0 end
$$;

CREATE FUNCTION codeteam.line_up(job uuid, its_place boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $$ -- as in jobs_arrive
begin
  perform pg_current_xact_id(); -- before it looks: advance_line() waits for those who have one
  if current_setting('transaction_isolation') <> 'read committed' then
    -- What an old snapshot says of the line is stale: whoever claims next puts it there.
    update jobs j set waits_for = 'time', run_at = least(j.run_at, now()) where j.id = line_up.job and j.state = 'queued';
    return;
  end if;
  update jobs j
  set waits_for = null,
      turn = case when its_place
             then (select greatest(l.next_start, coalesce(
                     (select f.turn - 1 from jobs f
                      where f.state = 'queued' and f.waits_for is null and line_of(f.mode, f.priority) = line_of(l.mode, l.priority)
                        and f.turn >= l.starts_at and f.id <> j.id
                      order by f.turn limit 1), j.turn))
                   from line_beginnings l where l.mode = j.mode and l.priority = j.priority)
             else next_turn((select t.turn from last_turn(j.mode, j.priority, j.repo) t), j.mode, j.priority) end
  where j.id = line_up.job and j.state = 'queued';
end
$$;

CREATE FUNCTION codeteam.line_up_due(mode text, most integer DEFAULT 100) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  due uuid;
begin
  for due in
    select j.id from jobs j
    where j.mode = line_up_due.mode and j.waits_for = 'time' and j.run_at <= now()
    order by j.run_at limit most for no key update skip locked
  loop
    perform line_up(due);
  end loop;
end
$$;

CREATE FUNCTION codeteam.line_up_reopened(mode text, most integer DEFAULT 100) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  back record;
begin
  for back in
    select j.id, j.begun from reopened(line_up_reopened.mode) r (repo)
    cross join lateral (
      select j.id, j.attempt > j.fresh_after as begun from jobs j
      where j.mode = line_up_reopened.mode and j.waits_for = 'budget' and j.repo = r.repo
      order by j.run_at limit most for no key update skip locked
    ) j
    limit most
  loop
    perform line_up(back.id, back.begun);
  end loop;
end
$$;

CREATE FUNCTION codeteam.list_budgets() RETURNS TABLE(repo text, period text, limit_micros bigint, spent_micros bigint, stopped_since timestamp with time zone, opens_at timestamp with time zone)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select nullif(b.repo, ''), b.period, b.limit_micros, spent(b.repo, b.period, clock_timestamp()), s.since, s.opens_at
  from budgets b
  left join stops_in_force s on s.repo = b.repo and (s.opens_at is not null) = (b.period = 'day')
  order by b.repo, b.period
$$;

CREATE FUNCTION codeteam.list_dead(selection jsonb DEFAULT '{}'::jsonb, most integer DEFAULT 100) RETURNS TABLE(id uuid, state text, mode text, task text, repo text, attempt integer, exit_reason text, error text, fingerprint text, finished_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
begin
  perform check_selection(list_dead.selection), check_most(list_dead.most);
  return query
  select d.id, d.state, d.mode, d.task, d.repo, d.attempt, d.exit_reason, d.error, d.fingerprint, d.finished_at
  from dead_letters(list_dead.selection) d order by d.finished_at desc, d.id desc limit list_dead.most;
end
$$;

CREATE FUNCTION codeteam.lock_budget(repo text) RETURNS void
    LANGUAGE sql
    AS $$
  select pg_advisory_xact_lock(hashtextextended('codeteam budget ' || repo, 0))
$$;

CREATE FUNCTION codeteam.lock_dead(selection jsonb, most integer, twinless boolean) RETURNS uuid[]
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
begin
  return array(
    select j.id from jobs j
    where j.id in (
        select d.id from dead_letters(selection) d
        where not twinless or d.dedupe_key is null or open_twin(d) is null
        order by d.finished_at, d.id limit least(greatest(most, 1), 500))
      -- said again of the row as it is once it is locked
      and j.state in ('failed', 'dead') and j.acknowledged_at is null
    order by j.finished_at, j.id for no key update skip locked);
end
$$;

CREATE FUNCTION codeteam.lock_group(group_key text) RETURNS void
    LANGUAGE sql
    AS $$
  select pg_advisory_xact_lock(hashtextextended('codeteam group ' || group_key, 0))
$$;

CREATE FUNCTION codeteam.lock_groups_of(repo text, also text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  perform lock_group(g.key)
  from (
    select also as key where also is not null
    union
    select j.group_key from lines l join jobs j on lane_of(j.mode, j.priority, j.repo) = lane_of(l.mode, l.priority, lock_groups_of.repo)
    where j.state = 'queued' and j.waits_for is null and j.repo = lock_groups_of.repo and j.group_key is not null
    order by key
  ) g;
end
$$;

CREATE FUNCTION codeteam.lock_job(job uuid) RETURNS codeteam.jobs
    LANGUAGE plpgsql
    AS $$
declare
  held jobs;
begin
  select j.* into held from jobs j where j.id = lock_job.job for no key update;
  if not found then
    raise exception 'there is no job %', job using errcode = 'QJ003', hint = 'codeteam jobs lists them';
  end if;
  return held;
end
$$;

CREATE FUNCTION codeteam.look(topic text, job uuid DEFAULT NULL::uuid, after_seq bigint DEFAULT 0) RETURNS TABLE(ready boolean, next_due_ms bigint, snapshot_xmin bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
begin
  perform check_topic(topic, gen_random_uuid(), job, after_seq);
  return query
  with modes as (
    select mode from unnest(case when look.topic = 'scaler' then array['mechanic', 'genius'] else array[look.topic] end) as mode
  ), at_work as (
    select mode from modes
    where mode <> all (array(select p.mode from pauses p)) and not exists (select from stops_in_force s where s.repo = '')
  ), leases as (
    select lease_ends(w) as ends from jobs j join workers w on w.id = j.worker_id join modes m on m.mode = j.mode
    where j.state = 'running'
  ), due as (
    select min(at) as at from (
      select (select j.run_at from jobs j where j.mode = m.mode and j.waits_for = 'time' order by j.run_at limit 1)
      from at_work m
      union all
      select s.opens_at from stops_in_force s where look.topic <> 'events'
      union all
      select ends from leases where ends > clock_timestamp()
    ) as coming (at)
  )
  select
    exists (select from at_work m, lateral (select from in_line i where i.mode = m.mode limit 1) first)
      or coalesce(due.at <= now(), false)
      or exists (select from at_work m, reopened(m.mode))
      or exists (select from leases where ends <= clock_timestamp() or look.topic = 'scaler')
      or (look.topic = 'events' and exists (select from events e where e.job_id = look.job and e.seq > look.after_seq)),
    ceil(extract(epoch from due.at - clock_timestamp()) * 1000)::bigint,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  from due;
end
$$;

CREATE FUNCTION codeteam.lost_after() RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$ select interval '2 minutes' $$;

CREATE FUNCTION codeteam.lost_calls(job uuid, fresh_after integer, OUT calls integer, OUT tokens bigint, OUT micros bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
begin
  select count(*), coalesce(sum(k.worst_tokens), 0), coalesce(sum(k.cost_micros), 0) into calls, tokens, micros
  from calls k where k.job_id = job and k.attempt > fresh_after and k.basis = 'worst_case';
end
$$;

CREATE FUNCTION codeteam.mark_acknowledged(ids uuid[], by_whom text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  marked bigint;
begin
  if coalesce(by_whom !~ '\S' or octet_length(by_whom) > 200, true) then
    raise exception 'nobody is named: say who acknowledges it, in 1 to 200 bytes' using errcode = 'QJ007';
  end if;
  update jobs j set acknowledged_at = clock_timestamp(), acknowledged_by = by_whom
  where j.id = any (ids) and j.acknowledged_at is null;
  get diagnostics marked = row_count;
  return marked;
end
$$;

CREATE FUNCTION codeteam.may_lead(scaler uuid, asked timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
  stands leader;
begin
  select l.* into stands from leader l;
  return stands.scaler is null or stands.scaler = may_lead.scaler
      or stands.heard_until < asked or stands.heard_until > asked + interval '80 seconds'
      or pg_try_advisory_lock(lead_class(), stands.epoch::integer);
end
$$;

CREATE FUNCTION codeteam.measure(scaler uuid, epoch bigint) RETURNS TABLE(batch bigint, at timestamp with time zone, tried_ms bigint, fresh boolean, data jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform demand(num_nulls(scaler, epoch) = 0, 'a leader', 'without scaler or epoch', 'say both');
  perform from leader l where l.scaler = measure.scaler and l.epoch = measure.epoch for share;
  if not found then
    return;
  end if;
  delete from metric_batches b where b.at < clock_timestamp() - interval '13 days';
  return query
  select b.id, b.at, greatest(extract(epoch from clock_timestamp() - b.tried_at) * 1000, 0)::bigint, false, b.data
  from metric_batches b order by b.id limit 1;
  if found then
    return;
  end if;
  return query
  with taken as (
    delete from measurements m where m.ctid = any (array(select o.ctid from measurements o limit 50000))
    returning m.mode, m.what, m.value
  ), near as (
    select t.mode, t.what, avg(t.value)::double precision as value, count(*) as count
    from taken t group by t.mode, t.what, floor(ln(greatest(t.value, 1)) / ln(1.12))
  ), made as (
    insert into metric_batches as b (data)
    select coalesce(jsonb_agg(s.series), '[]') from (
      select jsonb_build_object('mode', n.mode, 'what', n.what, 'values', jsonb_agg(n.value order by n.value),
                                'counts', jsonb_agg(n.count order by n.value)) as series
      from near n group by n.mode, n.what
    ) s
    returning b.id, b.at, b.data
  )
  select m.id, m.at, 0::bigint, true, m.data from made m;
end
$$;

CREATE FUNCTION codeteam.next_budget_day(at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    AS $$
  select ((at at time zone 'UTC')::date + 1)::timestamp at time zone 'UTC'
$$;

CREATE FUNCTION codeteam.next_turn(last bigint, mode text, priority smallint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
begin
  if last is null then
    select greatest(l.next_start, (
      select j.turn from jobs j
      where j.state = 'queued' and j.waits_for is null and line_of(j.mode, j.priority) = line_of(l.mode, l.priority) and j.turn >= l.starts_at
      order by j.turn limit 1))
    into last
    from line_beginnings l where l.mode = next_turn.mode and l.priority = next_turn.priority;
  end if;
  return (((last >> 33) + 1) << 33) | nextval('arrivals');
end
$$;

CREATE FUNCTION codeteam.observe(among uuid[] DEFAULT '{}'::uuid[], sla_ms bigint DEFAULT 600000) RETURNS TABLE(mode text, ready bigint, paused bigint, for_time bigint, for_jobs bigint, for_group bigint, for_budget bigint, running bigint, busy bigint, oldest_ready_ms bigint, next_due_ms bigint, stuck bigint, in_the_way bigint, workers bigint, lost bigint, unheard_ms bigint, busy_ids uuid[], silent_ids uuid[], connections bigint, min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer, scaling_paused boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET jit TO 'off'
    AS $$
#variable_conflict use_column
begin
  perform check_sla(sla_ms);
  return query
  select m.mode,
         case when m.paused or m.stopped then 0 else line.startable + due.jobs + opened.jobs end + held.expired,
         case when m.paused then line.jobs + due.jobs + opened.jobs else 0 end,
         waiting.for_time - due.jobs,
         waiting.for_jobs,
         waiting.for_group + case when m.paused or m.stopped then 0 else line.jobs - line.startable end,
         waiting.for_budget - opened.jobs + case when m.stopped and not m.paused then line.jobs + due.jobs + opened.jobs else 0 end,
         held.live, held.busy,
         (extract(epoch from now() - least(case when not (m.paused or m.stopped) then least(line.oldest, due.oldest, opened.oldest) end, held.oldest)) * 1000)::bigint,
         ceil(extract(epoch from least(waiting.next, waiting.opens, held.next) - now()) * 1000)::bigint,
         held.stuck, line.jobs - line.startable, here.workers, here.lost, here.unheard_ms, held.busy_ids, here.silent_ids,
         (select sum(d.numbackends) from pg_catalog.pg_stat_database d)::bigint,
         s.min, s.max, s.floor, s.cool_down_ms, s.jobs_per_worker, s.paused_at is not null
  from (select mode, exists (select from pauses p where p.mode = u.mode) as paused,
               exists (select from stops_in_force s where s.repo = '') as stopped
        from unnest(array['mechanic', 'genius']) as u (mode)) m
  cross join lateral (
    select coalesce(sum(g.jobs), 0)::bigint as jobs, coalesce(sum(g.startable), 0)::bigint as startable,
           min(g.oldest) filter (where g.startable > 0) as oldest
    from (
      select count(*) as jobs, min(f.run_at) as oldest,
             case when f.group_key is null then count(*) else least(count(*), greatest(max(f.group_limit) - (
               select count(*) from jobs r where r.group_key = f.group_key and r.state = 'running'), 0)) end as startable
      from (select i.group_key, i.group_limit, i.run_at from in_line i where i.mode = m.mode limit 1000) f
      group by f.group_key
    ) g
  ) line
  cross join lateral (
    select count(*) as jobs, min(d.run_at) as oldest
    from (select j.run_at from jobs j where j.mode = m.mode and j.waits_for = 'time' and j.run_at <= now() limit 1000) d
  ) due
  cross join lateral (
    select count(*) as jobs, min(o.run_at) as oldest
    from (select j.run_at from reopened(m.mode) r (repo)
          join jobs j on j.mode = m.mode and j.waits_for = 'budget' and j.repo = r.repo limit 1000) o
  ) opened
  cross join lateral (
    select (select min(s.opens_at) from stops_in_force s
            where s.repo = '' or exists (select from jobs j where j.mode = m.mode and j.waits_for = 'budget' and j.repo = s.repo)) as opens,
           (select count(*) from (select from jobs j where j.mode = m.mode and j.waits_for = 'time' limit 1000) w) as for_time,
           (select count(*) from (select from jobs j where j.mode = m.mode and j.waits_for = 'jobs' limit 1000) w) as for_jobs,
           (select count(*) from (select from jobs j where j.mode = m.mode and j.waits_for = 'group' limit 1000) w) as for_group,
           (select count(*) from (select from jobs j where j.mode = m.mode and j.waits_for = 'budget' limit 1000) w) as for_budget,
           (select j.run_at from jobs j where j.mode = m.mode and j.waits_for = 'time' and j.run_at > now() order by j.run_at limit 1) as next
  ) waiting
  cross join lateral (
    select count(*) filter (where l.ends <= now()) as expired, min(l.ends) filter (where l.ends <= now()) as oldest,
           count(*) filter (where l.ends > now()) as live, min(l.ends) filter (where l.ends > now()) as next,
           count(distinct l.worker_id) filter (where l.ends > now()) as busy,
           coalesce(array_agg(distinct l.worker_id), '{}') as busy_ids,
           count(*) filter (where l.stuck_at <= now()) as stuck
    from (select j.worker_id, lease_ends(w) as ends, stuck_at(j, sla_ms) as stuck_at from jobs j join workers w on w.id = j.worker_id
          where j.state = 'running' and j.mode = m.mode) l
  ) held
  cross join lateral (
    select count(*) as workers, count(*) filter (where heard_at(w) <= now() - lost_after()) as lost,
           (extract(epoch from now() - min(heard_at(w))) * 1000)::bigint as unheard_ms,
           array(select n.id from silent_workers(among) n (id) join workers o on o.id = n.id where o.mode = m.mode) as silent_ids
    from workers w where w.mode = m.mode and w.stopped_at is null
  ) here
  join limits_in_force s on s.mode = m.mode;
end
$$;

CREATE FUNCTION codeteam.open_twin(job codeteam.jobs) RETURNS uuid
    LANGUAGE sql STABLE
    AS $$
  select t.id from jobs t
  where t.dedupe_key = job.dedupe_key and t.state in ('queued', 'running') and t.id <> job.id
$$;

CREATE FUNCTION codeteam.park_for_budget(repo text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  key text;
begin
  for key in
    with parked as (
      update jobs set waits_for = 'budget'
      where id in (
        select j.id from lines l
        join jobs j on lane_of(j.mode, j.priority, j.repo) = lane_of(l.mode, l.priority, park_for_budget.repo)
        where j.state = 'queued' and j.waits_for is null and j.repo = park_for_budget.repo
        limit 1000 for no key update of j skip locked)
      returning group_key
    )
    select distinct p.group_key from parked p where p.group_key is not null order by p.group_key
  loop
    update jobs set waits_for = 'budget'
    where id in (
      select j.id from jobs j
      where j.group_key = key and j.state = 'queued' and j.waits_for = 'group' and j.repo = park_for_budget.repo
      limit 1000 for no key update skip locked);
    perform leave_group(key);
  end loop;
end
$$;

CREATE FUNCTION codeteam.park_group(group_key text) RETURNS void
    LANGUAGE sql
    AS $$
  update jobs set waits_for = 'group', turn = -1 -- end_job() knows it by that
  where id in (
    select j.id from jobs j
    where j.group_key = park_group.group_key and j.state = 'queued' and j.waits_for is null
      and j.group_limit <= (select count(*) from jobs r where r.group_key = park_group.group_key and r.state = 'running')
    limit 1000 for no key update skip locked)
$$;

CREATE FUNCTION codeteam.pause_mode(mode text, reason text DEFAULT ''::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select check_mode(mode), demand(octet_length(reason) <= 1000, 'reason', reason, 'give at most 1000 bytes, or an empty text');
  insert into pauses as p (mode, reason) values (mode, reason)
  on conflict on constraint pauses_pkey do update set reason = excluded.reason
$$;

CREATE FUNCTION codeteam.pause_scaling(mode text, reason text DEFAULT ''::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform check_mode(mode), demand(octet_length(reason) <= 1000, 'reason', reason, 'give at most 1000 bytes, or an empty text');
  update scale_limits l
  set paused_at = coalesce(l.paused_at, clock_timestamp()), paused_reason = reason where l.mode = pause_scaling.mode;
  insert into fleet_events (kind, mode, message) values ('scaling_paused', mode, 'scaling was paused' || coalesce(': ' || nullif(reason, ''), ''));
end
$$;

CREATE FUNCTION codeteam.rank_jobs(job uuid) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  unranked uuid[];
  ready    uuid[];
  ranked   bigint := 0;
  step     bigint;
  stuck    uuid;
begin
  -- Look-ups in fences (offset 0): whatever the planner thinks of these tables, it goes from one job to the next by index.
  with recursive below (id) as (
    select rank_jobs.job
    union
    select a.id
    from below b, lateral (select j.after from jobs j where j.id = b.id offset 0) j,
         lateral (select a.id, a.depth from jobs a where a.id = any (j.after) offset 0) a
    where a.depth is null
  )
  select array_agg(b.id) into unranked from below b;
  insert into job_dependencies (job_id, after_id)
  select j.id, a.id
  from jobs j, lateral (select a.id from jobs a where a.id = any (j.after) and a.state <> 'succeeded' offset 0) a
  where j.id = any (unranked)
  on conflict do nothing;

  ready := array(
    select u from unnest(unranked) u
    where (select count(*) from job_dependencies d, lateral (select a.depth from jobs a where a.id = d.after_id offset 0) a
           where d.job_id = u and a.depth is null) = 0);
  while ready <> '{}' loop
    update jobs j set depth = 1 + (select max(a.depth) from jobs a where a.id = any (j.after)) where j.id = any (ready);
    get diagnostics step = row_count;
    ranked := ranked + step;
    ready := array(
      select distinct d.job_id
      from unnest(ready) r, lateral (select d.job_id from job_dependencies d where d.after_id = r offset 0) d,
           lateral (select j.depth from jobs j where j.id = d.job_id offset 0) j
      where j.depth is null
        and (select count(*) from job_dependencies o, lateral (select a.depth from jobs a where a.id = o.after_id offset 0) a
             where o.job_id = d.job_id and a.depth is null) = 0);
  end loop;

  if ranked < cardinality(unranked) then
    -- Each of those left waits for another of them: so many steps from one to the next lead into the cycle.
    stuck := (select j.id from jobs j where j.id = any (unranked) and j.depth is null limit 1);
    for step in 1 .. cardinality(unranked) - ranked loop
      stuck := (select a.id from job_dependencies d join jobs a on a.id = d.after_id
                where d.job_id = stuck and a.depth is null limit 1);
    end loop;
    raise exception 'job % is to come after jobs that come after it: break the cycle', stuck using errcode = 'QJ011';
  end if;
end
$$;

CREATE FUNCTION codeteam.read_events(job uuid, after_seq bigint, most integer) RETURNS TABLE(seq bigint, attempt integer, at timestamp with time zone, kind text, data jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select demand(job is not null, 'job', null, 'name the job whose events are read'),
         demand(after_seq >= 0, 'after_seq', after_seq::text, 'give the last seq that you have seen, or 0'), check_most(most);
  select e.seq, e.attempt, e.at, e.kind, e.data from events e
  where e.job_id = read_events.job and e.seq > after_seq
  order by e.seq limit most
$$;

CREATE FUNCTION codeteam.record_decision(service text, previous integer, target integer, reason text, observation jsonb, ago_ms bigint DEFAULT 0) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET enable_sort TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$ -- one job is looked for, in an order that an index has
declare
  first_job   uuid;
  first_ready timestamptz;
  made        bigint;
begin
  perform demand(num_nulls(service, reason, observation) = 0, 'a decision', 'without service, reason or observation', 'say all three'),
          demand(previous >= 0 and target >= 0 and ago_ms between 0 and 86400000, 'a decision', format('from %s to %s, %s ms ago', previous, target, ago_ms),
                 'give numbers from 0, and at most a day');
  if previous = 0 and target > 0 then
    select h.id, h.run_at into first_job, first_ready
    from (select * from line_beginnings l where l.mode = split_part(service, '-', 1) order by l.priority desc offset 0) l
    cross join lateral ( -- as take_jobs() walks the line
      select j.id, j.run_at from jobs j
      where j.state = 'queued' and j.waits_for is null and line_of(j.mode, j.priority) = line_of(l.mode, l.priority) and j.turn >= l.starts_at
      order by j.turn limit 1
    ) h
    limit 1;
    if not found then -- one that has become due gets into line by the next claim
      select j.id, j.run_at into first_job, first_ready from jobs j
      where j.mode = split_part(service, '-', 1) and j.waits_for = 'time' and j.run_at <= now() order by j.run_at limit 1;
    end if;
  end if;
  insert into scale_decisions (at, service, previous, target, reason, observation, job_id, queued_at)
  values (statement_timestamp() - make_interval(secs => ago_ms / 1000.0), service, previous, target, reason, observation, first_job, first_ready)
  returning id into made;
  return made;
end
$$;

CREATE FUNCTION codeteam.refuse_job(field text, said text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if field <> '' then
    raise exception '% is missing: a job needs task, repo and prompt', field using errcode = 'QJ007';
  end if;
  raise exception 'a job cannot be read: %: give it in its type and range', said using errcode = 'QJ007';
end
$$;

CREATE FUNCTION codeteam.register_worker(worker uuid, mode text, host text, pid integer, version text, sandbox text, lease_ms integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
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

CREATE FUNCTION codeteam.release_job(job uuid, attempt integer, worker uuid, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held jobs := hold(job, attempt, worker);
begin
  perform demand(reason is not null, 'reason', null, 'say why it is given back');
  perform give_back(held, reason);
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

CREATE FUNCTION codeteam.reopened(mode text) RETURNS SETOF text
    LANGUAGE sql STABLE
    AS $$
  with recursive waiting as (
    (select j.repo from jobs j where j.mode = reopened.mode and j.waits_for = 'budget' order by j.repo limit 1)
    union all
    select (select j.repo from jobs j where j.mode = reopened.mode and j.waits_for = 'budget' and j.repo > w.repo order by j.repo limit 1)
    from waiting w where w.repo is not null
  )
  select w.repo from waiting w
  where w.repo is not null and not exists (select from stops_in_force s where s.repo = w.repo)
$$;

CREATE FUNCTION codeteam.report_trouble(scaler uuid, trouble text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform demand(scaler is not null, 'scaler', null, 'name the scaler that reports');
  update leader l
  set trouble = report_trouble.trouble, trouble_since = case when report_trouble.trouble is not null then coalesce(l.trouble_since, clock_timestamp()) end
  where l.scaler = report_trouble.scaler and l.trouble is distinct from report_trouble.trouble;
  if found then
    insert into fleet_events (kind, subject, message)
    values (case when trouble is null then 'recovered' else 'trouble' end, scaler, coalesce(left(trouble, 1000), 'the scaler can do its work again'));
  end if;
end
$$;

CREATE FUNCTION codeteam.requeue(job uuid, delay_ms bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  back jobs;
begin
  update jobs j
  set state = 'queued', worker_id = null,
      waits_for = case when delay_ms > 0 then 'time' when exists (select from stops_in_force s where s.repo = j.repo) then 'budget' end,
      run_at = case when delay_ms > 0 then clock_timestamp() + make_interval(secs => delay_ms / 1000.0) else j.run_at end
  where j.id = requeue.job
  returning j.* into back;
  if back.waits_for is null then
    perform line_up(job, true);
  end if;
  if back.group_key is not null then
    perform leave_group(back.group_key);
  end if;
  perform ring(array[back.mode, 'scaler']);
end
$$;

CREATE FUNCTION codeteam.reserve(job uuid, attempt integer, worker uuid, call integer, model text, worst_case_micros bigint, worst_tokens bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held  jobs := hold(job, attempt, worker);
  spent bigint;
  asked timestamptz := clock_timestamp();
begin
  if (call >= 1 and model ~ '\S' and worst_case_micros between 0 and 1000000000000 and worst_tokens between 0 and 1000000000000) is not true then
    perform demand(false, 'a reservation', format('call %s of %s for %s micro-dollars and %s tokens', call, model, worst_case_micros, worst_tokens),
      'give a call from 1, a model, and amounts from 0 to 1000000000000');
  end if;
  if exists (select from ledger l where (l.job_id, l.attempt, l.call, l.kind) = (reserve.job, reserve.attempt, reserve.call, 'reservation')) then
    return;
  end if;
  if held.cost_cap_micros is not null then
    select coalesce(sum(c.cost_micros), 0) into spent from calls c
    where c.job_id = reserve.job and c.attempt > held.fresh_after;
    if spent + worst_case_micros > held.cost_cap_micros then
      raise exception 'the job has % left of its cost cap, and the next call could cost %: raise the cap, or ask for less',
        dollars(held.cost_cap_micros - spent), dollars(worst_case_micros) using errcode = 'QJ004';
    end if;
  end if;
  perform add_spending(held.repo, asked, worst_case_micros);
  if exists (select from budgets b where b.repo in ('', held.repo)) then
    perform check_budgets(held.repo, asked, worst_case_micros);
  end if;
  insert into ledger (at, job_id, attempt, call, kind, basis, repo, mode, model, cost_micros, worst_tokens)
  values (asked, reserve.job, reserve.attempt, reserve.call, 'reservation', 'worst_case', held.repo, held.mode, reserve.model, worst_case_micros, reserve.worst_tokens);
end
$$;

CREATE FUNCTION codeteam.resign(scaler uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform demand(scaler is not null, 'scaler', null, 'name the scaler that goes');
  update leader l set scaler = null, acts_until = '-infinity', trouble = null, trouble_since = null where l.scaler = resign.scaler;
  perform pg_advisory_unlock_all();
end
$$;

CREATE FUNCTION codeteam.resume_mode(mode text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform check_mode(mode);
  delete from pauses p where p.mode = resume_mode.mode;
  if not found then
    return false;
  end if;
  perform ring(array[resume_mode.mode, 'scaler']);
  return true;
end
$$;

CREATE FUNCTION codeteam.resume_scaling(mode text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform check_mode(mode);
  update scale_limits l set paused_at = null, paused_reason = '' where l.mode = resume_scaling.mode and l.paused_at is not null;
  if not found then
    return false;
  end if;
  insert into fleet_events (kind, mode, message) values ('scaling_resumed', mode, 'scaling was resumed');
  perform ring(array['scaler']);
  return true;
end
$$;

CREATE FUNCTION codeteam.retire_worker(worker uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
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

CREATE FUNCTION codeteam.retry_job(job uuid, changes jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held  jobs := lock_job(job);
  twin  uuid := open_twin(held);
  said text;
begin
  if held.state not in ('failed', 'cancelled', 'dead') then
    raise exception 'job % is %: only a failed, cancelled or dead job can be retried', job, held.state using errcode = 'QJ002';
  elsif twin is not null then
    raise exception 'job % is open and has the same dedupe_key (%): wait for its end or cancel it, then retry this one',
      twin, held.dedupe_key using errcode = 'QJ008';
  end if;
  perform check_changes(changes);
  begin
    perform revive(job, changes);
  exception when unique_violation or data_exception then
    get stacked diagnostics said = message_text;
    perform revival_refused(sqlstate, said);
  end;
  perform ring(array[held.mode, 'scaler']);
end
$$;

CREATE FUNCTION codeteam.retry_jobs(selection jsonb, changes jsonb DEFAULT '{}'::jsonb, most integer DEFAULT 500, dry_run boolean DEFAULT false) RETURNS TABLE(changed bigint, remaining bigint, held_back bigint, as_of timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
  held  jobs;
  modes text[] := '{}';
  said  text;
begin
  perform check_selection(retry_jobs.selection), check_most(retry_jobs.most);
  perform demand(dry_run is not null, 'dry_run', null, 'give true or false');
  perform check_changes(retry_jobs.changes);
  as_of := clock_timestamp();
  changed := 0;
  if not dry_run then
    begin
      for held in
        select j.* from unnest(lock_dead(retry_jobs.selection, most, true)) with ordinality as c (id, n) join jobs j on j.id = c.id
        order by c.n
      loop
        continue when open_twin(held) is not null; -- one that was retried just now
        perform revive(held.id, retry_jobs.changes);
        changed := changed + 1;
        modes := modes || held.mode;
      end loop;
    exception when unique_violation or data_exception then
      get stacked diagnostics said = message_text;
      perform revival_refused(sqlstate, said);
    end;
  end if;
  if changed > 0 then
    perform ring(modes || 'scaler'::text);
  end if;
  select count(*) filter (where d.free), count(*) filter (where not d.free) into remaining, held_back
  from (select l.dedupe_key is null or open_twin(l) is null as free from dead_letters(retry_jobs.selection) l
        limit case when dry_run then null else 10000 end) d;
  return next;
end
$$;

CREATE FUNCTION codeteam.revival_refused(state text, said text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if state = '23505' then
    raise exception 'another job of the same dedupe_key was opened at this very moment: wait for its end, then retry this one'
      using errcode = 'QJ008';
  end if;
  raise exception 'the changes cannot be made: %', said using errcode = 'QJ007';
end
$$;

CREATE FUNCTION codeteam.revive(job uuid, changes jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  update jobs j
  set prompt = case when changes ? 'prompt' then changes ->> 'prompt' else j.prompt end,
      model = case when changes ? 'model' then changes ->> 'model' else j.model end,
      setup_command = case when changes ? 'setup_command' then changes ->> 'setup_command' else j.setup_command end,
      delivery = case when changes ? 'delivery' then changes ->> 'delivery' else j.delivery end,
      test_command = case when changes ? 'test_command' then changes ->> 'test_command' else j.test_command end,
      step_cap = case when changes ? 'step_cap' then (changes ->> 'step_cap')::integer else j.step_cap end,
      token_cap = case when changes ? 'token_cap' then (changes ->> 'token_cap')::bigint else j.token_cap end,
      time_limit_ms = case when changes ? 'time_limit_ms' then (changes ->> 'time_limit_ms')::bigint else j.time_limit_ms end,
      cost_cap_micros = case when changes ? 'cost_cap_micros' then (changes ->> 'cost_cap_micros')::bigint else j.cost_cap_micros end,
      priority = case when changes ? 'priority' then coalesce((changes ->> 'priority')::smallint, 0) else j.priority end,
      fresh_after = j.attempt, failures = 0, deaths = 0, cancel_requested = false, outcome = null, exit_reason = null, error = null,
      fingerprint = null, acknowledged_at = null, acknowledged_by = null,
      finished_at = null, state = 'queued', run_at = clock_timestamp()
  where j.id = revive.job;
  perform check_job(j) from jobs j where j.id = revive.job;
  perform append_event(job, 0, 'retried', jsonb_build_object('changes', changes));
  if not await_again(job) then
    perform line_up(job);
  end if;
end
$$;

CREATE FUNCTION codeteam.ring(topics text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    perform pg_notify('codeteam_' || topic, '') from unnest(topics) as topic;
  elsif exists (select from sleepers) then -- rarely, or the table would not be filling
    perform pg_notify('codeteam_' || s.topic, '')
    from (select distinct topic from sleepers where topic = any (topics)) s;
  end if;
end
$$;

CREATE FUNCTION codeteam.schema_version() RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select max(version)::integer from schema_history
$$;

CREATE FUNCTION codeteam.set_budget(repo text, period text, limit_micros bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  key text := budget_key(repo, period);
begin
  if period is null then
    raise exception 'no period is named: use day or ever' using errcode = 'QJ007';
  elsif limit_micros is null or limit_micros not between 1 and 1000000000000000 then
    raise exception 'a budget is 1 to 1000000000000000 micro-dollars, not %', coalesce(limit_micros::text, 'null')
      using errcode = 'QJ007', hint = 'to stop all work, pause its modes';
  end if;
  perform hold_spending();
  insert into budgets as b (repo, period, limit_micros) values (key, set_budget.period, set_budget.limit_micros)
  on conflict on constraint budgets_pkey do update set limit_micros = excluded.limit_micros;
  perform weigh_stop(key, clock_timestamp());
end
$$;

CREATE FUNCTION codeteam.set_limits(mode text, min integer DEFAULT NULL::integer, max integer DEFAULT NULL::integer, floor integer DEFAULT NULL::integer, cool_down_ms bigint DEFAULT NULL::bigint, jobs_per_worker integer DEFAULT NULL::integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  l scale_limits;
begin
  perform check_mode(mode), demand(num_nonnulls(min, max, floor, cool_down_ms, jobs_per_worker) > 0, 'limits', 'empty', 'say which to set');
  update scale_limits s
  set min = coalesce(set_limits.min, s.min), max = coalesce(set_limits.max, s.max), floor = coalesce(set_limits.floor, s.floor),
      cool_down_ms = coalesce(set_limits.cool_down_ms, s.cool_down_ms), jobs_per_worker = coalesce(set_limits.jobs_per_worker, s.jobs_per_worker)
  where s.mode = set_limits.mode
  returning * into l;
  perform check_limits(coalesce(l.min, l.own_min), coalesce(l.max, l.own_max), coalesce(l.floor, l.own_floor), l.cool_down_ms, l.jobs_per_worker);
  insert into fleet_events (kind, mode, message)
  values ('limits_changed', mode, 'limits were set: ' || concat_ws(', ',
    'min ' || min, 'max ' || max, 'floor ' || floor, 'cool-down ' || cool_down_ms || ' ms', jobs_per_worker || ' jobs per worker'));
  perform ring(array['scaler']);
end
$$;

CREATE FUNCTION codeteam.settle(job uuid, attempt integer, worker uuid, after_seq bigint, call integer, basis text, model text, cost_micros bigint, uncached bigint, cache_read bigint, cache_write_5m bigint, cache_write_1h bigint, output bigint, reasoning bigint, request_id text, raw_usage jsonb, kinds text[], data jsonb[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
#variable_conflict use_variable
declare
  reserved ledger;
  due      bigint; -- what it did cost
begin
  perform check_events(after_seq, kinds, data);
  if (basis in ('reported', 'unbilled', 'worst_case') and model ~ '\S'
      and (basis <> 'reported' or cost_micros between 0 and 1000000000000)
      and num_nulls(uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning) = 0
      and least(uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning) >= 0
      and greatest(uncached, cache_read, cache_write_5m, cache_write_1h, output) <= 1000000000000
      and reasoning <= output) is not true then
    perform demand(false, 'a settlement', format('%s of %s for %s micro-dollars and %s tokens', basis, model, cost_micros,
      array[uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning]),
      'give reported, unbilled or worst_case, a model, counts from 0 to 1000000000000, and no more reasoning than output');
  end if;
  -- Locked before it is looked: the same call may be under way on a connection that the caller has given up.
  perform from jobs j where j.id = settle.job for no key update;
  if exists (select from ledger l where (l.job_id, l.attempt, l.call, l.kind) = (settle.job, settle.attempt, settle.call, 'settlement')) then
    return (select max(e.seq) from events e where e.job_id = settle.job);
  end if;
  perform hold(job, attempt, worker);
  select r.* into reserved from ledger r
  where r.job_id = settle.job and r.attempt = settle.attempt and r.call = settle.call and r.kind = 'reservation';
  if not found then
    raise exception 'call % of attempt % of job % was never reserved', call, attempt, job using errcode = 'QJ005';
  end if;
  due := case basis when 'worst_case' then reserved.cost_micros when 'unbilled' then 0 else cost_micros end;
  insert into ledger (job_id, attempt, call, kind, basis, repo, mode, model, cost_micros,
                      uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning, request_id, raw_usage)
  values (reserved.job_id, reserved.attempt, reserved.call, 'settlement', basis, reserved.repo, reserved.mode, model, due,
          uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning, request_id, raw_usage);
  if basis <> 'unbilled' then
    insert into measurements (mode, what, value) values (reserved.mode, 'call', case basis
      when 'worst_case' then reserved.worst_tokens
      else uncached + cache_write_5m + cache_write_1h + output end);
  end if;
  if due <> reserved.cost_micros then
    perform add_spending(reserved.repo, reserved.at, due - reserved.cost_micros);
    if exists (select from budget_stops) then -- perhaps there is room now for the call that was refused
      perform lock_budget(s.repo), weigh_stop(s.repo, clock_timestamp())
      from unnest(array['', reserved.repo]) as s (repo);
    end if;
  end if;
  return append_events(job, attempt, worker, after_seq, kinds, data);
end
$$;

CREATE FUNCTION codeteam.silent_workers(among uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
begin
  perform demand(array_position(among, null) is null and among is not null, 'among', among::text, 'give an array of workers'' ids');
  return query
  select w.id from workers w
  where w.id = any (among)
    and (lease_ends(w) <= now() and exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
         or heard_at(w) <= now() - lost_after());
end
$$;

CREATE FUNCTION codeteam.spent(repo text, period text, at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  day   bigint;
  total bigint;
begin
  if repo = '' then
    select coalesce(sum(s.day_micros) filter (where s.day = budget_day(at)), 0), coalesce(sum(s.ever_micros), 0) into day, total
    from spending s;
  else
    select coalesce(sum(s.day_micros) filter (where s.day = budget_day(at)), 0), coalesce(sum(s.ever_micros), 0) into day, total
    from spending s where s.repo = spent.repo;
  end if;
  return case period when 'day' then day else total end;
end
$$;

CREATE FUNCTION codeteam.spent_words(budget text, opens_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select format('the %s budget of %s is spent: ', case when opens_at is null then 'total' else 'daily' end,
                case budget when '' then 'all repositories' else 'this repository' end)
      || coalesce('it opens again at ' || to_char(opens_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC, or when somebody raises it',
                  'it opens when somebody raises it')
      || ' with `codeteam budget set`'
$$;

CREATE FUNCTION codeteam.step_out_of_the_way(mode text) RETURNS void
    LANGUAGE sql
    AS $$
  select park_group(g.group_key)
  from (select f.group_key, min(f.group_limit) as group_limit
        from (select i.group_key, i.group_limit from in_line i where i.mode = step_out_of_the_way.mode limit 1000) f
        where f.group_key is not null group by f.group_key having count(*) > 1 offset 0) g
  where group_has_room(g.group_key, g.group_limit, false) is false
$$;

CREATE FUNCTION codeteam.stuck_at(j codeteam.jobs, sla_ms bigint) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
  select j.started_at + pg_catalog.make_interval(secs => greatest(sla_ms, j.time_limit_ms + 60000) / 1000.0)
$$;

CREATE FUNCTION codeteam.submit_job(task text, repo text, prompt text, mode text DEFAULT NULL::text, base text DEFAULT NULL::text, test_command text DEFAULT NULL::text, model text DEFAULT NULL::text, step_cap integer DEFAULT NULL::integer, token_cap bigint DEFAULT NULL::bigint, time_limit_ms bigint DEFAULT NULL::bigint, cost_cap_micros bigint DEFAULT NULL::bigint, priority smallint DEFAULT NULL::smallint, run_at timestamp with time zone DEFAULT NULL::timestamp with time zone, dedupe_key text DEFAULT NULL::text, id uuid DEFAULT NULL::uuid, group_key text DEFAULT NULL::text, group_limit smallint DEFAULT NULL::smallint, after uuid[] DEFAULT NULL::uuid[], head text DEFAULT NULL::text, setup_command text DEFAULT NULL::text, delivery text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select submit_jobs(jsonb_build_array(jsonb_build_object(
    'id', id, 'mode', mode, 'task', task, 'repo', repo, 'base', base, 'prompt', prompt, 'test_command', test_command,
    'model', model, 'step_cap', step_cap, 'token_cap', token_cap, 'time_limit_ms', time_limit_ms,
    'cost_cap_micros', cost_cap_micros, 'priority', priority, 'run_at', run_at, 'dedupe_key', dedupe_key,
    'group_key', group_key, 'group_limit', group_limit, 'after', after,
    'head', head, 'setup_command', setup_command, 'delivery', delivery)))
$$;

CREATE FUNCTION codeteam.submit_jobs(jobs jsonb) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  asked jsonb; -- each with an id
  ids   uuid[];
  field text;
  said  text;
  place bigint; -- in the array, of the job that cannot be
begin
  perform check_jobs(jobs);
  select jsonb_agg(e || jsonb_build_object('id', coalesce(nullif(e -> 'id', 'null'), to_jsonb(gen_random_uuid()))) order by n)
  into asked from jsonb_array_elements(jobs) with ordinality as x (e, n);
  loop
    begin
      insert into jobs (id, mode, task, repo, base, head, prompt, setup_command, test_command, delivery, model,
                        step_cap, token_cap, time_limit_ms, cost_cap_micros, priority, run_at, dedupe_key, group_key, group_limit, after)
      select a.id,
             coalesce(a.mode, case when a.task in ('bug_fix', 'refactor', 'analysis', 'review') then 'mechanic' else 'genius' end),
             a.task, a.repo, a.base, a.head, a.prompt, a.setup_command, a.test_command, a.delivery, a.model, a.step_cap, a.token_cap, a.time_limit_ms,
             a.cost_cap_micros, coalesce(a.priority, 0), coalesce(a.run_at, now()), a.dedupe_key,
             a.group_key, coalesce(a.group_limit, 1), a.after
      from jsonb_to_recordset(asked) as a (
        id uuid, mode text, task text, repo text, base text, head text, prompt text, setup_command text, test_command text, delivery text, model text,
        step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, priority smallint, run_at timestamptz, dedupe_key text,
        group_key text, group_limit smallint, after uuid[])
      on conflict do nothing;
    exception when data_exception or not_null_violation then
      get stacked diagnostics field = column_name, said = message_text;
      perform refuse_job(field, said);
    when sqlstate 'QJ007' then
      get stacked diagnostics said = message_text;
      select n into place from jsonb_array_elements(asked) with ordinality as x (e, n)
      where jsonb_array_length(asked) > 1 and wrong_with(jsonb_populate_record(null::jobs, e)) is not null limit 1;
      raise exception '%', coalesce('job ' || place || ': ', '') || said using errcode = 'QJ007';
    end;
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
  silent uuid[];
  lost   jobs;
  swept  integer := 0;
begin
  perform check_most(most);
  -- A heartbeat that comes meanwhile waits for these rows, or this skips them: a worker is silent or not, never both.
  silent := array(
    select w.id from workers w
    where lease_ends(w) <= clock_timestamp() -- of one that has stopped, too: its last claim may have come later
      and exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
    for no key update skip locked);
  -- Groups' locks are taken in the order of their keys, or two sweeps could wait for each other.
  for lost in
    select j.* from jobs j where j.state = 'running' and j.worker_id = any (silent)
    order by j.group_key limit most for no key update skip locked
  loop
    swept := swept + 1;
    perform append_event(lost.id, lost.attempt, 'lease_expired', jsonb_build_object('worker', lost.worker_id));
    update jobs set deaths = deaths + 1 where id = lost.id;
    perform end_attempt(lost.id, true, 0, 'lost_worker', 'its worker fell silent without giving it back');
  end loop;
  -- A worker that has been silent for so long is gone. Should it come back, its next word says so.
  with gone as (
    update workers set stopped_at = heartbeat_at
    where id in (
      select w.id from workers w
      where w.stopped_at is null and heard_at(w) < clock_timestamp() - lost_after()
        and not exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
      for no key update skip locked)
    returning id, mode
  ), counted as (
    insert into measurements (mode, what, value) select g.mode, 'worker_lost', 1 from gone g
  )
  insert into fleet_events (kind, mode, subject, message)
  select 'worker_lost', g.mode, g.id, format('worker %s was not heard of for two minutes: it is taken for dead', g.id) from gone g;
  return swept;
end
$$;

CREATE FUNCTION codeteam.sweep_history(keep interval, most integer DEFAULT 100, most_events integer DEFAULT 5000) RETURNS TABLE(jobs bigint, events bigint, more boolean, next_due_ms bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$ -- the index has the order, whatever the planner thinks of the table
#variable_conflict use_column
declare
  due     timestamptz;
  found   uuid[]; -- locked
  leaving uuid[];
  old     integer;
  others  integer;
begin
  perform demand((keep between interval '0' and interval '100 years') and most >= 1 and most_events >= 1, 'a sweep',
    format('of %s jobs and %s events older than %s', most, most_events, keep), 'give an interval of up to 100 years and numbers from 1');
  due := now() - keep;
  select array_agg(o.id order by o.finished_at, o.id) into found from (
    select j.id, j.finished_at from jobs j
    where j.finished_at < due and j.finished_at is not null and (j.state <> 'dead' or j.acknowledged_at is not null)
    order by j.finished_at limit most for update skip locked
  ) o;
  -- A statement of its own: it sees what was written before the rows were locked. A journal has no gaps, so that its last seq is its length.
  select array_agg(s.id), coalesce(sum(s.length), 0) into leaving, sweep_history.events from (
    select f.id, l.length, sum(l.length) over (order by f.n) as length_so_far, f.n
    from unnest(found) with ordinality as f (id, n)
    cross join lateral (select coalesce(max(e.seq), 0) as length from events e where e.job_id = f.id) l
  ) s
  where s.n = 1 or s.length_so_far <= most_events;

  with gone as (
    delete from jobs j where j.id = any (leaving) returning j.mode, j.state, (j.finished_at at time zone 'UTC')::date as day
  ), counted as (
    insert into swept_days as s (day, mode, state, jobs)
    select g.day, g.mode, g.state, count(*) from gone g group by g.day, g.mode, g.state order by g.mode, g.state, g.day
    on conflict on constraint swept_days_pkey do update set jobs = s.jobs + excluded.jobs
  )
  select count(*) into sweep_history.jobs from gone;

  delete from scale_decisions d
  where d.id = any (array(select o.id from scale_decisions o where o.at < due order by o.at limit most for update skip locked));
  get diagnostics old = row_count;
  delete from fleet_events v
  where v.id = any (array(select o.id from fleet_events o where o.at < due order by o.at limit most for update skip locked));
  get diagnostics others = row_count;
  old := greatest(old, others);
  -- What nobody has published by now no metrics service would take any more.
  delete from measurements m
  where m.ctid = any (array(select o.ctid from measurements o where o.at < now() - interval '14 days' limit most_events));
  get diagnostics others = row_count;

  more := coalesce(cardinality(found) >= most or cardinality(leaving) < cardinality(found), false) or old >= most or others >= most_events;
  select greatest(ceil(extract(epoch from j.finished_at + keep - clock_timestamp()) * 1000), 0) into sweep_history.next_due_ms
  from jobs j
  where j.finished_at is not null and (j.state <> 'dead' or j.acknowledged_at is not null)
  order by j.finished_at limit 1;
  return next;
end
$$;

CREATE FUNCTION codeteam.take_jobs(worker uuid, mode text, most integer, holds boolean, stopped boolean) RETURNS uuid[]
    LANGUAGE plpgsql
    AS $$
declare
  next  record;
  taken uuid[] := '{}';
  room  boolean; -- in the group of the next one
  again boolean; -- whether to look once more, because some stepped out of line
begin
  for round in 1 .. 5 loop -- one call does not empty a long queue of jobs that have to wait
    again := false;
    for next in
      -- One priority after the other, each from the beginning of its line: the nested loop stops when it has enough.
      select j.* from (select * from line_beginnings l where l.mode = take_jobs.mode order by l.priority desc offset 0) l
      cross join lateral (
        select j.id, j.priority, j.turn, j.repo, j.group_key, j.group_limit from jobs j
        where j.state = 'queued' and j.waits_for is null and j.mode = l.mode and line_of(j.mode, j.priority) = line_of(l.mode, l.priority) and j.turn >= l.starts_at
          and j.id <> all (taken)
        order by j.turn limit most - cardinality(taken) for no key update skip locked
      ) j
      limit most - cardinality(taken)
    loop
      if random() < 1.0 / 128 then -- few claims write to line_steps
        perform advance_line(take_jobs.mode, next.priority, next.turn);
      end if;
      if stopped and exists (select from stops_in_force s where s.repo = next.repo) then
        if holds then
          return taken; -- as below
        end if;
        perform park_for_budget(next.repo);
        again := true;
        holds := true;
      elsif next.group_key is null then
        taken := taken || next.id;
      else
        room := group_has_room(next.group_key, next.group_limit, not holds);
        holds := true;
        if room is null then
          return taken; -- the rest is left for the next claim
        elsif room then
          taken := taken || next.id;
          update jobs j set state = 'running', worker_id = take_jobs.worker where j.id = next.id; -- counts from now on
        else
          perform park_group(next.group_key);
          again := true;
        end if;
      end if;
    end loop;
    exit when not again or cardinality(taken) >= most;
  end loop;
  return taken;
end
$$;

CREATE FUNCTION codeteam.tend(sla_ms bigint DEFAULT 600000, most integer DEFAULT 100) RETURNS TABLE(requeued integer, dead integer, lost integer, open_wakes integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  stuck  jobs;
  ran_ms bigint;
  became text;
begin
  perform check_most(most), check_sla(sla_ms);
  requeued := 0;
  dead := 0;
  lost := sweep_expired(most);
  for stuck in
    select j.* from jobs j where j.state = 'running' and stuck_at(j, sla_ms) <= clock_timestamp()
    order by j.group_key limit most for no key update skip locked -- as in sweep_expired
  loop
    ran_ms := extract(epoch from clock_timestamp() - stuck.started_at) * 1000;
    perform append_event(stuck.id, stuck.attempt, 'stuck', jsonb_build_object('worker', stuck.worker_id, 'ran_ms', ran_ms));
    insert into measurements (mode, what, value) values (stuck.mode, 'job_stuck', 1);
    update jobs j set failures = j.failures + 1 where j.id = stuck.id;
    became := end_attempt(stuck.id, true, 0, 'time_limit', format('it was stuck: its attempt did not end within %s s', ran_ms / 1000));
    perform pg_notify('codeteam_worker_' || stuck.worker_id, ''); -- its next heartbeat says that it lost the job
    insert into fleet_events (kind, mode, subject, message)
    values ('job_stuck', stuck.mode, stuck.id, format('job %s ran for %s s and is %s', stuck.id, ran_ms / 1000, became));
    if became = 'queued' then
      requeued := requeued + 1;
    else
      dead := dead + 1;
    end if;
  end loop;
  perform step_out_of_the_way(m.mode) from unnest(array['mechanic', 'genius']) as m (mode);
  open_wakes := follow_wakes();
  return next;
end
$$;

CREATE FUNCTION codeteam.wait_for_budget(job uuid, attempt integer, worker uuid, worst_case_micros bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
declare
  held   jobs := hold(job, attempt, worker);
  at     timestamptz;
  reason text;
begin
  perform demand(worst_case_micros between 0 and 1000000000000, 'worst_case_micros', worst_case_micros::text, 'give 0 to 1000000000000');
  perform hold_spending();
  at := clock_timestamp();
  delete from budget_stops s where s.opens_at <= at;
  insert into budget_stops as s (repo, opens_at, needs_micros)
  select b.repo, case when bool_or(b.period = 'ever') then null else next_budget_day(at) end, worst_case_micros
  from budgets b
  where b.repo in ('', held.repo) and spent(b.repo, b.period, at) + worst_case_micros > b.limit_micros
  group by b.repo
  on conflict on constraint budget_stops_pkey do nothing; -- the first call that was refused says how much room ends it
  select string_agg(spent_words(s.repo, s.opens_at), '; ' order by s.repo) into reason
  from stops_in_force s where s.repo in ('', held.repo);
  if reason is not null then
    perform lock_groups_of(held.repo, held.group_key);
  end if;
  perform give_back(held, coalesce(reason, 'its budget has room again'));
  if reason is not null then
    perform park_for_budget(held.repo) from stops_in_force s where s.repo = held.repo;
    perform ring(array['mechanic', 'genius', 'scaler']); -- who sleeps hears when it opens
  end if;
end
$$;

CREATE FUNCTION codeteam.wake(topic text, sleeper uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select check_topic(topic, sleeper, gen_random_uuid(), 0);
  delete from sleepers s where s.topic = wake.topic and s.sleeper = wake.sleeper
$$;

CREATE FUNCTION codeteam.weigh_stop(budget text, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  stop   budget_stops;
  blocks text[]; -- the periods of the budgets that have no room
begin
  select s.* into stop from budget_stops s where s.repo = budget;
  if not found then
    return;
  elsif stop.opens_at <= weigh_stop.at then
    delete from budget_stops s where s.repo = budget; -- it holds nobody any more, and everybody knows
    return;
  end if;
  select array_agg(b.period) into blocks from budgets b
  where b.repo = budget and spent(b.repo, b.period, weigh_stop.at) + stop.needs_micros > b.limit_micros;
  if blocks is null then
    delete from budget_stops s where s.repo = budget;
    perform ring(array['mechanic', 'genius', 'scaler']);
  else
    update budget_stops s set opens_at = case when 'ever' = any (blocks) then null else next_budget_day(weigh_stop.at) end
    where s.repo = budget;
  end if;
end
$$;

CREATE FUNCTION codeteam.works_since() RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'codeteam', 'pg_temp'
    AS $$
  select works_since from compatibility
$$;

CREATE FUNCTION codeteam.write_events(job uuid, attempt integer, after_seq bigint, kinds text[], data jsonb[]) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  last bigint;
begin
  select coalesce(max(e.seq), 0) into last from events e where e.job_id = write_events.job;
  if exists (select from events e where e.job_id = write_events.job and e.seq > after_seq and e.attempt = write_events.attempt) then
    return last;
  end if;
  insert into events (job_id, seq, attempt, kind, data)
  select write_events.job, last + e.n, write_events.attempt, e.kind, e.data
  from unnest(write_events.kinds, write_events.data) with ordinality as e (kind, data, n);
  return last + cardinality(kinds);
end
$$;

CREATE FUNCTION codeteam.wrong_with(job codeteam.jobs) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  if job.mode not in ('mechanic', 'genius') then
    return format('%L is no mode: use mechanic or genius', left(job.mode, 100));
  elsif job.task not in ('bug_fix', 'refactor', 'analysis', 'review', 'feature', 'complex_refactor', 'security_fix', 'architecture') then
    return format('%L is no task: use bug_fix, refactor, analysis, review, feature, complex_refactor, security_fix or architecture',
      left(job.task, 100));
  elsif job.repo !~ '\S' or octet_length(job.repo) > 2000 or job.repo like '-%' then
    return 'the repository cannot be that: give a path or a URL that git clones, in 1 to 2000 bytes, not starting with -';
  elsif job.prompt !~ '\S' or octet_length(job.prompt) > 100000 then
    return 'the prompt cannot be that: say what to do, in 1 to 100000 bytes; put long material into the repository';
  elsif job.priority not between 0 and 9 then
    return format('the priority cannot be %s: give 0 to 9, the highest goes first', job.priority);
  elsif job.run_at not between '2000-01-01 00:00Z' and '9000-01-01 00:00Z' then -- a time that every client can read
    return format('the run_at cannot be %s: give a time from the year 2000 to 9000', job.run_at);
  elsif job.max_attempts not between 1 and 100 then
    return format('the max_attempts cannot be %s: give 1 to 100', job.max_attempts);
  elsif job.group_limit not between 1 and 1000 then
    return format('the group_limit cannot be %s: give 1 to 1000', job.group_limit);
  end if;
  if num_nonnulls(job.base, job.head, job.setup_command, job.test_command, job.delivery, job.model, job.step_cap, job.token_cap, job.time_limit_ms,
                  job.cost_cap_micros, job.dedupe_key, job.group_key) = 0 then
    return null;
  end if;
  if job.base !~ '\S' or octet_length(job.base) > 250 or job.base like '-%' then
    return 'the base cannot be that: name a branch, tag or commit in 1 to 250 bytes, not starting with -, or leave it null';
  elsif job.head !~ '\S' or octet_length(job.head) > 250 or job.head like '-%' then
    return 'the head cannot be that: name a branch, tag, commit or pull/N in 1 to 250 bytes, not starting with -, or leave it null';
  elsif job.head is not null and job.task <> 'review' then
    return format('a %s has no head: it is what a review looks at; name what to start from as base', job.task);
  elsif job.setup_command !~ '\S' or octet_length(job.setup_command) > 10000 then
    return 'the setup_command cannot be that: give a shell command of 1 to 10000 bytes, or leave it null';
  elsif job.delivery not in ('patch', 'branch', 'pull_request') then
    return format('%L is no delivery: use patch, branch or pull_request, or leave it null', left(job.delivery, 100));
  elsif job.test_command !~ '\S' or octet_length(job.test_command) > 10000 then
    return 'the test_command cannot be that: give a shell command of 1 to 10000 bytes, or leave it null';
  elsif job.model !~ '\S' or octet_length(job.model) > 200 then
    return 'the model cannot be that: name one in 1 to 200 bytes, or leave it null';
  elsif job.step_cap not between 1 and 10000 then
    return format('the step_cap cannot be %s: give 1 to 10000, or leave it null', job.step_cap);
  elsif job.token_cap not between 1 and 100000000 then
    return format('the token_cap cannot be %s: give 1 to 100000000, or leave it null', job.token_cap);
  elsif job.time_limit_ms not between 1000 and 86400000 then
    return format('the time_limit_ms cannot be %s: give 1000 to 86400000, or leave it null', job.time_limit_ms);
  elsif job.cost_cap_micros < 1 then
    return format('the cost_cap_micros cannot be %s: give 1 or more, or leave it null', job.cost_cap_micros);
  elsif job.dedupe_key !~ '\S' or octet_length(job.dedupe_key) > 500 then
    return 'the dedupe_key cannot be that: name the piece of work in 1 to 500 bytes, or leave it null';
  elsif job.group_key !~ '\S' or octet_length(job.group_key) > 500 then
    return 'the group_key cannot be that: name what must not run at once in 1 to 500 bytes, or leave it null';
  end if;
  return null;
end
$$;

CREATE SEQUENCE codeteam.arrivals
    START WITH 0
    INCREMENT BY 1
    MINVALUE 0
    MAXVALUE 8589934591
    CACHE 1
    CYCLE;

CREATE TABLE codeteam.budget_stops (
    repo text NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    opens_at timestamp with time zone,
    needs_micros bigint NOT NULL
);

CREATE TABLE codeteam.budgets (
    repo text NOT NULL,
    period text NOT NULL,
    limit_micros bigint NOT NULL,
    CONSTRAINT budgets_limit_micros_check CHECK (((limit_micros >= 1) AND (limit_micros <= '1000000000000000'::bigint))),
    CONSTRAINT budgets_period_check CHECK ((period = ANY (ARRAY['day'::text, 'ever'::text]))),
    CONSTRAINT budgets_repo_check CHECK (((repo = ''::text) OR ((repo ~ '\S'::text) AND (octet_length(repo) <= 2000))))
);

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
)
WITH (autovacuum_vacuum_insert_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05', autovacuum_freeze_min_age='0');

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

CREATE TABLE codeteam.compatibility (
    only_row boolean DEFAULT true NOT NULL,
    works_since integer NOT NULL,
    CONSTRAINT compatibility_only_row_check CHECK (only_row)
);

CREATE TABLE codeteam.events (
    job_id uuid NOT NULL,
    seq bigint NOT NULL,
    attempt integer NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    kind text NOT NULL,
    data jsonb NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_insert_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05', autovacuum_freeze_min_age='0', vacuum_truncate=off, toast.autovacuum_vacuum_scale_factor='0.02', toast.autovacuum_vacuum_insert_scale_factor='0.05', toast.vacuum_truncate=off);

CREATE TABLE codeteam.fleet_events (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    kind text NOT NULL,
    mode text,
    subject uuid,
    message text NOT NULL
);

ALTER TABLE codeteam.fleet_events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME codeteam.fleet_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE codeteam.functions_applied (
    only_row boolean DEFAULT true NOT NULL,
    digest text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT functions_applied_only_row_check CHECK (only_row)
);

CREATE TABLE codeteam.line_steps (
    mode text NOT NULL,
    priority smallint NOT NULL,
    step bigint NOT NULL,
    starts_at bigint NOT NULL,
    next_start bigint NOT NULL,
    next_xid xid8
);

CREATE TABLE codeteam.lines (
    mode text NOT NULL,
    priority smallint NOT NULL,
    CONSTRAINT lines_mode_check CHECK ((mode = ANY (ARRAY['mechanic'::text, 'genius'::text]))),
    CONSTRAINT lines_priority_check CHECK (((priority >= 0) AND (priority <= 9)))
)
WITH (fillfactor='10', autovacuum_vacuum_threshold='20');

CREATE VIEW codeteam.line_beginnings AS
 SELECT l.mode,
    l.priority,
    s.step,
    s.starts_at,
    s.next_start,
    s.next_xid
   FROM (codeteam.lines l
     CROSS JOIN LATERAL ( SELECT s_1.mode,
            s_1.priority,
            s_1.step,
            s_1.starts_at,
            s_1.next_start,
            s_1.next_xid
           FROM codeteam.line_steps s_1
          WHERE ((s_1.mode = l.mode) AND (s_1.priority = l.priority))
          ORDER BY s_1.step DESC
         LIMIT 1) s);

CREATE VIEW codeteam.in_line AS
 SELECT j.id,
    j.mode,
    j.priority,
    j.turn,
    j.run_at,
    j.group_key,
    j.group_limit
   FROM (codeteam.line_beginnings l
     JOIN codeteam.jobs j ON (((codeteam.line_of(j.mode, j.priority) = codeteam.line_of(l.mode, l.priority)) AND (j.turn >= l.starts_at) AND (j.mode = l.mode))))
  WHERE ((j.state = 'queued'::text) AND (j.waits_for IS NULL));

CREATE TABLE codeteam.job_dependencies (
    job_id uuid NOT NULL,
    after_id uuid NOT NULL,
    confirmed boolean DEFAULT false NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_analyze_threshold='20');

CREATE TABLE codeteam.leader (
    only_row boolean DEFAULT true NOT NULL,
    epoch bigint DEFAULT 0 NOT NULL,
    scaler uuid,
    since timestamp with time zone DEFAULT now() NOT NULL,
    acts_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    heard_until timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    trouble text,
    trouble_since timestamp with time zone,
    CONSTRAINT leader_only_row_check CHECK (only_row)
);

ALTER TABLE codeteam.ledger ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME codeteam.ledger_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE codeteam.scale_limits (
    mode text NOT NULL,
    own_min integer,
    own_max integer,
    own_floor integer,
    own_cool_down_ms bigint,
    own_jobs_per_worker integer,
    min integer,
    max integer,
    floor integer,
    cool_down_ms bigint,
    jobs_per_worker integer,
    paused_at timestamp with time zone,
    paused_reason text DEFAULT ''::text NOT NULL
);

CREATE VIEW codeteam.limits_in_force AS
 SELECT l.mode,
        CASE
            WHEN (m.min > m.max) THEN m.max
            ELSE m.min
        END AS min,
    m.max,
        CASE
            WHEN (m.floor > m.max) THEN m.max
            ELSE m.floor
        END AS floor,
    COALESCE(l.cool_down_ms, l.own_cool_down_ms) AS cool_down_ms,
    COALESCE(l.jobs_per_worker, l.own_jobs_per_worker) AS jobs_per_worker,
    array_remove(ARRAY[
        CASE
            WHEN (l.min IS NOT NULL) THEN 'min'::text
            ELSE NULL::text
        END,
        CASE
            WHEN (l.max IS NOT NULL) THEN 'max'::text
            ELSE NULL::text
        END,
        CASE
            WHEN (l.floor IS NOT NULL) THEN 'floor'::text
            ELSE NULL::text
        END,
        CASE
            WHEN (l.cool_down_ms IS NOT NULL) THEN 'cool-down'::text
            ELSE NULL::text
        END,
        CASE
            WHEN (l.jobs_per_worker IS NOT NULL) THEN 'jobs per worker'::text
            ELSE NULL::text
        END], NULL::text) AS limits_set,
    l.paused_at,
    l.paused_reason
   FROM (codeteam.scale_limits l
     CROSS JOIN LATERAL ( SELECT COALESCE(l.min, l.own_min) AS min,
            COALESCE(l.max, l.own_max) AS max,
            COALESCE(l.floor, l.own_floor) AS floor) m);

CREATE TABLE codeteam.measurements (
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    mode text NOT NULL,
    what text NOT NULL,
    value bigint NOT NULL
)
WITH (autovacuum_vacuum_threshold='1000');

CREATE TABLE codeteam.metric_batches (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    tried_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    data jsonb NOT NULL
);

ALTER TABLE codeteam.metric_batches ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME codeteam.metric_batches_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE codeteam.pauses (
    mode text NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    reason text NOT NULL,
    CONSTRAINT pauses_mode_check CHECK ((mode = ANY (ARRAY['mechanic'::text, 'genius'::text]))),
    CONSTRAINT pauses_reason_check CHECK ((octet_length(reason) <= 1000))
);

CREATE TABLE codeteam.scale_decisions (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    service text NOT NULL,
    previous integer NOT NULL,
    target integer NOT NULL,
    reason text NOT NULL,
    observation jsonb NOT NULL,
    job_id uuid,
    queued_at timestamp with time zone,
    called_at timestamp with time zone,
    first_heartbeat_at timestamp with time zone,
    claimed_at timestamp with time zone,
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
WITH (fillfactor='50', autovacuum_vacuum_threshold='20', autovacuum_vacuum_scale_factor='0', vacuum_truncate=off);

CREATE TABLE codeteam.spending (
    repo text NOT NULL,
    shard smallint NOT NULL,
    day date NOT NULL,
    day_micros bigint NOT NULL,
    ever_micros bigint NOT NULL,
    CONSTRAINT spending_shard_check CHECK (((shard >= 0) AND (shard <= 7)))
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='20');

CREATE VIEW codeteam.spending_by_ledger AS
 SELECT c.repo,
    (COALESCE(sum(c.cost_micros) FILTER (WHERE (((c.asked_at AT TIME ZONE 'UTC'::text))::date = ((clock_timestamp() AT TIME ZONE 'UTC'::text))::date)), (0)::numeric))::bigint AS day_micros,
    (sum(c.cost_micros))::bigint AS ever_micros
   FROM codeteam.calls c
  GROUP BY c.repo;

CREATE VIEW codeteam.stops_in_force AS
 SELECT s.repo,
    s.since,
    s.opens_at,
    s.needs_micros
   FROM codeteam.budget_stops s
  WHERE ((s.opens_at IS NULL) OR (s.opens_at > clock_timestamp()));

CREATE TABLE codeteam.swept_days (
    day date NOT NULL,
    mode text NOT NULL,
    state text NOT NULL,
    jobs bigint NOT NULL,
    CONSTRAINT swept_days_jobs_check CHECK ((jobs > 0)),
    CONSTRAINT swept_days_mode_check CHECK ((mode = ANY (ARRAY['mechanic'::text, 'genius'::text]))),
    CONSTRAINT swept_days_state_check CHECK ((state = ANY (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text, 'dead'::text])))
);

ALTER TABLE ONLY codeteam.budget_stops
    ADD CONSTRAINT budget_stops_pkey PRIMARY KEY (repo);

ALTER TABLE ONLY codeteam.budgets
    ADD CONSTRAINT budgets_pkey PRIMARY KEY (repo, period);

ALTER TABLE ONLY codeteam.compatibility
    ADD CONSTRAINT compatibility_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY codeteam.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (job_id, seq);

ALTER TABLE ONLY codeteam.fleet_events
    ADD CONSTRAINT fleet_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY codeteam.functions_applied
    ADD CONSTRAINT functions_applied_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY codeteam.job_dependencies
    ADD CONSTRAINT job_dependencies_pkey PRIMARY KEY (job_id, after_id);

ALTER TABLE ONLY codeteam.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY codeteam.leader
    ADD CONSTRAINT leader_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY codeteam.ledger
    ADD CONSTRAINT ledger_job_id_attempt_call_kind_key UNIQUE (job_id, attempt, call, kind);

ALTER TABLE ONLY codeteam.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (id);

ALTER TABLE ONLY codeteam.line_steps
    ADD CONSTRAINT line_steps_pkey PRIMARY KEY (mode, priority, step);

ALTER TABLE ONLY codeteam.lines
    ADD CONSTRAINT lines_pkey PRIMARY KEY (mode, priority);

ALTER TABLE ONLY codeteam.metric_batches
    ADD CONSTRAINT metric_batches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY codeteam.pauses
    ADD CONSTRAINT pauses_pkey PRIMARY KEY (mode);

ALTER TABLE ONLY codeteam.scale_decisions
    ADD CONSTRAINT scale_decisions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY codeteam.scale_limits
    ADD CONSTRAINT scale_limits_pkey PRIMARY KEY (mode);

ALTER TABLE ONLY codeteam.schema_history
    ADD CONSTRAINT schema_history_pkey PRIMARY KEY (version);

ALTER TABLE ONLY codeteam.sleepers
    ADD CONSTRAINT sleepers_pkey PRIMARY KEY (topic, sleeper);

ALTER TABLE ONLY codeteam.spending
    ADD CONSTRAINT spending_pkey PRIMARY KEY (repo, shard);

ALTER TABLE ONLY codeteam.swept_days
    ADD CONSTRAINT swept_days_pkey PRIMARY KEY (mode, state, day);

ALTER TABLE ONLY codeteam.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (id);

CREATE INDEX fleet_events_recent ON codeteam.fleet_events USING btree (at DESC);

CREATE INDEX job_dependencies_after ON codeteam.job_dependencies USING btree (after_id);

CREATE INDEX job_dependencies_unconfirmed ON codeteam.job_dependencies USING btree (after_id) WHERE (NOT confirmed);

CREATE INDEX jobs_dead_alike ON codeteam.jobs USING btree (fingerprint, finished_at, id) WHERE ((state = ANY (ARRAY['failed'::text, 'dead'::text])) AND (acknowledged_at IS NULL));

CREATE INDEX jobs_dead_letters ON codeteam.jobs USING btree (finished_at, id) WHERE ((state = ANY (ARRAY['failed'::text, 'dead'::text])) AND (acknowledged_at IS NULL));

CREATE INDEX jobs_for_budget ON codeteam.jobs USING btree (mode, repo, run_at) WHERE (waits_for = 'budget'::text);

CREATE INDEX jobs_group ON codeteam.jobs USING btree (group_key, state, waits_for) WHERE ((group_key IS NOT NULL) AND (state = ANY (ARRAY['queued'::text, 'running'::text])));

CREATE INDEX jobs_in_lane ON codeteam.jobs USING btree (hashtextextended(repo, ((priority +
CASE mode
    WHEN 'genius'::text THEN 10
    ELSE 0
END))::bigint), turn) WHERE ((state = 'queued'::text) AND (waits_for IS NULL));

CREATE INDEX jobs_in_line ON codeteam.jobs USING btree (((priority +
CASE mode
    WHEN 'genius'::text THEN 10
    ELSE 0
END)), turn) WHERE ((state = 'queued'::text) AND (waits_for IS NULL));

CREATE INDEX jobs_leaving ON codeteam.jobs USING btree (finished_at) WHERE ((finished_at IS NOT NULL) AND ((state <> 'dead'::text) OR (acknowledged_at IS NOT NULL)));

CREATE INDEX jobs_listed ON codeteam.jobs USING btree (state, mode, created_at, id);

CREATE UNIQUE INDEX jobs_open_dedupe_key ON codeteam.jobs USING btree (dedupe_key) WHERE ((dedupe_key IS NOT NULL) AND (state = ANY (ARRAY['queued'::text, 'running'::text])));

CREATE INDEX jobs_running ON codeteam.jobs USING btree (worker_id) WHERE (state = 'running'::text);

CREATE INDEX jobs_waiting ON codeteam.jobs USING btree (mode, waits_for, run_at) WHERE (waits_for IS NOT NULL);

CREATE INDEX scale_decisions_open ON codeteam.scale_decisions USING btree (at) WHERE ((queued_at IS NOT NULL) AND (claimed_at IS NULL));

CREATE INDEX scale_decisions_recent ON codeteam.scale_decisions USING btree (at DESC);

CREATE INDEX workers_here ON codeteam.workers USING btree (mode) WHERE (stopped_at IS NULL);

CREATE INDEX workers_started ON codeteam.workers USING btree (mode, started_at);

CREATE TRIGGER arrive BEFORE INSERT ON codeteam.jobs FOR EACH ROW EXECUTE FUNCTION codeteam.jobs_arrive();

CREATE CONSTRAINT TRIGGER arrive_for_budget AFTER INSERT ON codeteam.jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.waits_for = 'budget'::text)) EXECUTE FUNCTION codeteam.budget_arrival();

CREATE TRIGGER await AFTER INSERT ON codeteam.jobs FOR EACH ROW WHEN ((new.waits_for = 'jobs'::text)) EXECUTE FUNCTION codeteam.jobs_await();

CREATE CONSTRAINT TRIGGER confirm AFTER INSERT ON codeteam.job_dependencies DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION codeteam.dependencies_confirm();

CREATE TRIGGER leave AFTER DELETE ON codeteam.jobs REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION codeteam.jobs_leave();

ALTER TABLE ONLY codeteam.job_dependencies
    ADD CONSTRAINT job_dependencies_after_id_fkey FOREIGN KEY (after_id) REFERENCES codeteam.jobs(id);

ALTER TABLE ONLY codeteam.job_dependencies
    ADD CONSTRAINT job_dependencies_job_id_fkey FOREIGN KEY (job_id) REFERENCES codeteam.jobs(id) ON DELETE CASCADE;

GRANT USAGE ON SCHEMA codeteam TO codeteam_api;
GRANT USAGE ON SCHEMA codeteam TO codeteam_worker;
GRANT USAGE ON SCHEMA codeteam TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.acknowledge_job(job uuid, by_whom text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.acknowledge_job(job uuid, by_whom text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.acknowledge_jobs(selection jsonb, by_whom text, most integer, dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.acknowledge_jobs(selection jsonb, by_whom text, most integer, dry_run boolean) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.add_spending(repo text, at timestamp with time zone, micros bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.advance_line(mode text, priority smallint, turn bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.after_depth(job uuid, after uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.announce_limits(mode text, min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.announce_limits(mode text, min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.append_event(job uuid, attempt integer, kind text, data jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.append_events(job uuid, attempt integer, worker uuid, after_seq bigint, kinds text[], data jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.append_events(job uuid, attempt integer, worker uuid, after_seq bigint, kinds text[], data jsonb[]) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.await_again(job uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.await_jobs(job uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.batch_published(batch bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.batch_published(batch bigint) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.batch_tried(scaler uuid, epoch bigint, batch bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.batch_tried(scaler uuid, epoch bigint, batch bigint) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.budget_arrival() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.budget_day(at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.budget_key(repo text, period text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.busy_workers() FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.busy_workers() TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.came_up() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.cancel_job(job uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.cancel_job(job uuid) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.capacity_drifted(scaler uuid, mode text, message text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.capacity_drifted(scaler uuid, mode text, message text) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.check_budgets(repo text, at timestamp with time zone, micros bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_changes(changes jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_events(after_seq bigint, kinds text[], data jsonb[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_exit_reason(exit_reason text) FROM PUBLIC;

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

GRANT INSERT(group_key) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(group_limit) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(after) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(head) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(setup_command) ON TABLE codeteam.jobs TO codeteam_api;

GRANT INSERT(delivery) ON TABLE codeteam.jobs TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.check_job(job codeteam.jobs) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_jobs(jobs jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_keys(given jsonb, known text[], what text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_limits(min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_mode(mode text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_most(most bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_results(results jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_selection(selection jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_sla(sla_ms bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.check_topic(topic text, sleeper uuid, job uuid, after_seq bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.claim_jobs(worker uuid, mode text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.claim_jobs(worker uuid, mode text, most integer) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.clear_budget(repo text, period text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.clear_budget(repo text, period text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.clear_limits(mode text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.clear_limits(mode text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.counts(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.counts(most integer) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.dead_letters(selection jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.decision_called(decision bigint, ago_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.decision_called(decision bigint, ago_ms bigint) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.demand(holds boolean, field text, given text, instead text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.dependencies_confirm() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.dollars(micros bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid, after_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid, after_seq bigint) TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid, after_seq bigint) TO codeteam_scaler;
GRANT ALL ON FUNCTION codeteam.doze(topic text, sleeper uuid, job uuid, after_seq bigint) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.end_attempt(job uuid, may_retry boolean, delay_ms bigint, exit_reason text, error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.end_job(job uuid, state text, outcome text, exit_reason text, error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.end_jobs(ids uuid[], states text[], outcomes text[], exit_reasons text[], errors text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.end_waiting(ended uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.error_fingerprint(exit_reason text, error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.fail_attempt(job uuid, attempt integer, worker uuid, exit_reason text, error text, retry_in_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.fail_attempt(job uuid, attempt integer, worker uuid, exit_reason text, error text, retry_in_ms bigint) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.finish_job(job uuid, attempt integer, worker uuid, after_seq bigint, state text, outcome text, exit_reason text, error text, kinds text[], data jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.finish_job(job uuid, attempt integer, worker uuid, after_seq bigint, state text, outcome text, exit_reason text, error text, kinds text[], data jsonb[]) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.finish_jobs(worker uuid, results jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.finish_jobs(worker uuid, results jsonb) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.follow_wakes() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.free_jobs(ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.give_back(held codeteam.jobs, reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.group_dead(selection jsonb, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.group_dead(selection jsonb, most integer) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.group_has_room(group_key text, group_limit smallint, wait boolean) FROM PUBLIC;

GRANT SELECT ON TABLE codeteam.workers TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.heard_at(w codeteam.workers) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.heartbeat(worker uuid, job_ids uuid[], attempts integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.heartbeat(worker uuid, job_ids uuid[], attempts integer[]) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.hold(job uuid, attempt integer, worker uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.hold_spending() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.jobs_arrive() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.jobs_await() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.jobs_leave() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.lane_of(mode text, priority smallint, repo text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.last_turn(mode text, priority smallint, repo text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.lead(scaler uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.lead(scaler uuid) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.lead_class() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.lead_for() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.leader_dozes(scaler uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.lease_ends(w codeteam.workers) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.leave_group(group_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.line_of(mode text, priority smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.line_up(job uuid, its_place boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.line_up_due(mode text, most integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.line_up_reopened(mode text, most integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.list_budgets() FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.list_budgets() TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.list_dead(selection jsonb, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.list_dead(selection jsonb, most integer) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.lock_budget(repo text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.lock_dead(selection jsonb, most integer, twinless boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.lock_group(group_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.lock_groups_of(repo text, also text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.lock_job(job uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.look(topic text, job uuid, after_seq bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.look(topic text, job uuid, after_seq bigint) TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.look(topic text, job uuid, after_seq bigint) TO codeteam_scaler;
GRANT ALL ON FUNCTION codeteam.look(topic text, job uuid, after_seq bigint) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.lost_after() FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.lost_calls(job uuid, fresh_after integer, OUT calls integer, OUT tokens bigint, OUT micros bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.mark_acknowledged(ids uuid[], by_whom text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.may_lead(scaler uuid, asked timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.measure(scaler uuid, epoch bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.measure(scaler uuid, epoch bigint) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.next_budget_day(at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.next_turn(last bigint, mode text, priority smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.observe(among uuid[], sla_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.observe(among uuid[], sla_ms bigint) TO codeteam_scaler;
GRANT ALL ON FUNCTION codeteam.observe(among uuid[], sla_ms bigint) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.open_twin(job codeteam.jobs) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.park_for_budget(repo text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.park_group(group_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.pause_mode(mode text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.pause_mode(mode text, reason text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.pause_scaling(mode text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.pause_scaling(mode text, reason text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.rank_jobs(job uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.read_events(job uuid, after_seq bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.read_events(job uuid, after_seq bigint, most integer) TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.read_events(job uuid, after_seq bigint, most integer) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.record_decision(service text, previous integer, target integer, reason text, observation jsonb, ago_ms bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.record_decision(service text, previous integer, target integer, reason text, observation jsonb, ago_ms bigint) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.refuse_job(field text, said text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.register_worker(worker uuid, mode text, host text, pid integer, version text, sandbox text, lease_ms integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.register_worker(worker uuid, mode text, host text, pid integer, version text, sandbox text, lease_ms integer) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.release_job(job uuid, attempt integer, worker uuid, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.release_job(job uuid, attempt integer, worker uuid, reason text) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.renew_lease(worker uuid, in_time boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.reopened(mode text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.report_trouble(scaler uuid, trouble text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.report_trouble(scaler uuid, trouble text) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.requeue(job uuid, delay_ms bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.reserve(job uuid, attempt integer, worker uuid, call integer, model text, worst_case_micros bigint, worst_tokens bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.reserve(job uuid, attempt integer, worker uuid, call integer, model text, worst_case_micros bigint, worst_tokens bigint) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.resign(scaler uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.resign(scaler uuid) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.resume_mode(mode text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.resume_mode(mode text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.resume_scaling(mode text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.resume_scaling(mode text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.retire_worker(worker uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.retire_worker(worker uuid) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.retry_job(job uuid, changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.retry_job(job uuid, changes jsonb) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.retry_jobs(selection jsonb, changes jsonb, most integer, dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.retry_jobs(selection jsonb, changes jsonb, most integer, dry_run boolean) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.revival_refused(state text, said text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.revive(job uuid, changes jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.ring(topics text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.schema_version() FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.schema_version() TO codeteam_api;
GRANT ALL ON FUNCTION codeteam.schema_version() TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.schema_version() TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.set_budget(repo text, period text, limit_micros bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.set_budget(repo text, period text, limit_micros bigint) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.set_limits(mode text, min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.set_limits(mode text, min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.settle(job uuid, attempt integer, worker uuid, after_seq bigint, call integer, basis text, model text, cost_micros bigint, uncached bigint, cache_read bigint, cache_write_5m bigint, cache_write_1h bigint, output bigint, reasoning bigint, request_id text, raw_usage jsonb, kinds text[], data jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.settle(job uuid, attempt integer, worker uuid, after_seq bigint, call integer, basis text, model text, cost_micros bigint, uncached bigint, cache_read bigint, cache_write_5m bigint, cache_write_1h bigint, output bigint, reasoning bigint, request_id text, raw_usage jsonb, kinds text[], data jsonb[]) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.silent_workers(among uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.silent_workers(among uuid[]) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.spent(repo text, period text, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.spent_words(budget text, opens_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.step_out_of_the_way(mode text) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.stuck_at(j codeteam.jobs, sla_ms bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.submit_job(task text, repo text, prompt text, mode text, base text, test_command text, model text, step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, priority smallint, run_at timestamp with time zone, dedupe_key text, id uuid, group_key text, group_limit smallint, after uuid[], head text, setup_command text, delivery text) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.submit_job(task text, repo text, prompt text, mode text, base text, test_command text, model text, step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, priority smallint, run_at timestamp with time zone, dedupe_key text, id uuid, group_key text, group_limit smallint, after uuid[], head text, setup_command text, delivery text) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.submit_jobs(jobs jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.submit_jobs(jobs jsonb) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.sweep_expired(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.sweep_expired(most integer) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.sweep_history(keep interval, most integer, most_events integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.sweep_history(keep interval, most integer, most_events integer) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.take_jobs(worker uuid, mode text, most integer, holds boolean, stopped boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.tend(sla_ms bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.tend(sla_ms bigint, most integer) TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.wait_for_budget(job uuid, attempt integer, worker uuid, worst_case_micros bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.wait_for_budget(job uuid, attempt integer, worker uuid, worst_case_micros bigint) TO codeteam_worker;

REVOKE ALL ON FUNCTION codeteam.wake(topic text, sleeper uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.wake(topic text, sleeper uuid) TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.wake(topic text, sleeper uuid) TO codeteam_scaler;
GRANT ALL ON FUNCTION codeteam.wake(topic text, sleeper uuid) TO codeteam_api;

REVOKE ALL ON FUNCTION codeteam.weigh_stop(budget text, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.works_since() FROM PUBLIC;
GRANT ALL ON FUNCTION codeteam.works_since() TO codeteam_api;
GRANT ALL ON FUNCTION codeteam.works_since() TO codeteam_worker;
GRANT ALL ON FUNCTION codeteam.works_since() TO codeteam_scaler;

REVOKE ALL ON FUNCTION codeteam.write_events(job uuid, attempt integer, after_seq bigint, kinds text[], data jsonb[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION codeteam.wrong_with(job codeteam.jobs) FROM PUBLIC;

GRANT SELECT ON TABLE codeteam.ledger TO codeteam_api;

GRANT SELECT ON TABLE codeteam.calls TO codeteam_api;

GRANT SELECT ON TABLE codeteam.events TO codeteam_api;

GRANT SELECT ON TABLE codeteam.fleet_events TO codeteam_api;

GRANT SELECT ON TABLE codeteam.job_dependencies TO codeteam_api;

GRANT SELECT ON TABLE codeteam.leader TO codeteam_api;

GRANT SELECT ON TABLE codeteam.limits_in_force TO codeteam_api;

GRANT SELECT ON TABLE codeteam.pauses TO codeteam_api;

GRANT SELECT ON TABLE codeteam.scale_decisions TO codeteam_api;

GRANT SELECT ON TABLE codeteam.stops_in_force TO codeteam_api;

