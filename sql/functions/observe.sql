-- What the scaler decides from, one row per mode, all from one snapshot.
--   ready      jobs that a worker could claim now, expired leases among them
--   scheduled  queued jobs whose time has not come
--   running    jobs under a live lease
--   busy       workers that hold one of those
create or replace function codeteam.observe()
returns table (mode text, ready bigint, scheduled bigint, running bigint, busy bigint, oldest_ready_ms bigint, next_due_ms bigint)
language sql stable security definer set search_path = codeteam, pg_temp as $$
  select m.mode,
         count(*) filter (where d.due <= now()),
         count(*) filter (where j.state = 'queued' and d.due > now()),
         count(*) filter (where j.state = 'running' and d.due > now()),
         count(distinct j.worker_id) filter (where j.state = 'running' and d.due > now()),
         (extract(epoch from now() - min(d.due) filter (where d.due <= now())) * 1000)::bigint,
         ceil(extract(epoch from min(d.due) filter (where d.due > now()) - now()) * 1000)::bigint
  from unnest(array['mechanic', 'genius']) as m (mode)
  left join jobs j on j.mode = m.mode and j.state in ('queued', 'running')
  left join lateral (
    select case j.state when 'queued' then j.run_at
           else greatest(j.lease_expires_at, pg_postmaster_start_time() + make_interval(secs => j.lease_ms / 1000.0)) end as due
  ) d on j.id is not null
  group by m.mode
$$;

-- The process ids of the workers that hold a job and must not be stopped; for an actuator on the workers' own machine.
create or replace function codeteam.busy_workers() returns setof integer
language sql stable security definer set search_path = codeteam, pg_temp as $$
  select w.pid from workers w where w.id in (select j.worker_id from jobs j where j.state = 'running')
$$;

-- The scaler changed its mind, and why.
create or replace function codeteam.record_decision(service text, previous integer, target integer, reason text, observation jsonb)
returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  insert into scale_decisions (service, previous, target, reason, observation)
  values (service, previous, target, reason, observation)
$$;
