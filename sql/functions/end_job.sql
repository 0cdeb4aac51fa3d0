-- Puts jobs into final states and writes the events that say so; the arrays run in parallel. Internal: the caller holds the rows.
-- QJ007: a word that is none of an end's. QJ009 isolation: not at READ COMMITTED, where an older snapshot would not show who waits for them.
create or replace function codeteam.end_jobs(ids uuid[], states text[], outcomes text[], exit_reasons text[], errors text[]) returns void
language plpgsql volatile
-- Plans: see ARCHITECTURE.md. A hash or merge join would read all jobs while the table looks empty.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
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

-- The same for one. (In plpgsql: a SQL function would be planned anew at each call.)
create or replace function codeteam.end_job(job uuid, state text, outcome text, exit_reason text, error text) returns void
language plpgsql volatile as $$
begin
  perform end_jobs(array[job], array[state], array[outcome], array[exit_reason], array[error]);
end
$$;
