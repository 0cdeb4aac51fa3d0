-- What the scaler decides from, one row per mode, all from one snapshot. Counts end at 1,000: more makes no difference to a
-- decision, and a long queue must not make it slow.
--   ready            jobs that a worker could claim now, expired leases among them
--   scheduled        queued jobs whose time has not come
--   running          jobs under a live lease
--   busy             workers that hold one of those
--   oldest_ready_ms  for how long the oldest ready job has been ready
--   next_due_ms      until the next one becomes ready by itself
create or replace function codeteam.observe()
returns table (mode text, ready bigint, scheduled bigint, running bigint, busy bigint, oldest_ready_ms bigint, next_due_ms bigint)
language sql stable security definer set search_path = codeteam, pg_temp
set enable_bitmapscan = off as $$ -- as in claim_job
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

-- The workers that hold a job and must not be stopped.
create or replace function codeteam.busy_workers() returns setof uuid
language sql stable security definer set search_path = codeteam, pg_temp as $$
  select distinct worker_id from jobs where state = 'running'
$$;

-- Those of `among` that hang: their lease ran out, and yet they hold a job. An idle worker keeps no lease, but is heard of
-- every 36 s at the latest; one that was silent for two minutes hangs, too. While this database was down nobody could be heard.
create or replace function codeteam.silent_workers(among uuid[]) returns setof uuid
language sql stable security definer set search_path = codeteam, pg_temp as $$
  select w.id from workers w
  where w.id = any (among)
    and (lease_ends(w) <= now() and exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
         or greatest(w.heartbeat_at, pg_postmaster_start_time()) <= now() - interval '2 minutes')
$$;

-- The scaler changed its mind, and why.
create or replace function codeteam.record_decision(service text, previous integer, target integer, reason text, observation jsonb)
returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  insert into scale_decisions (service, previous, target, reason, observation)
  values (service, previous, target, reason, observation)
$$;
