-- What the scaler decides from and a dashboard shows: one row per mode, all from one snapshot. Counts of queued jobs end at 1,000: more
-- makes no difference to a decision, and a long queue must not make it slow.
--   ready            jobs that a worker could start now, expired leases among them; of a group as many as it has room for
--   paused, for_time, for_jobs, for_group, for_budget   queued jobs that wait, by reason
--   running          jobs under a live lease
--   busy             workers that hold one of those
--   oldest_ready_ms  for how long the oldest of the ready jobs has been ready
--   next_due_ms      until the next one becomes ready by itself
create or replace function codeteam.observe()
returns table (mode text, ready bigint, paused bigint, for_time bigint, for_jobs bigint, for_group bigint, for_budget bigint,
               running bigint, busy bigint, oldest_ready_ms bigint, next_due_ms bigint)
language sql stable security definer set search_path = codeteam, pg_temp
set enable_bitmapscan = off set enable_sort = off set jit = off as $$ -- as in look
  select m.mode,
         case when m.paused or m.stopped then 0 else line.startable + due.jobs + opened.jobs end + held.expired,
         case when m.paused then line.jobs + due.jobs + opened.jobs else 0 end,
         waiting.for_time - due.jobs,
         waiting.for_jobs,
         waiting.for_group + case when m.paused or m.stopped then 0 else line.jobs - line.startable end,
         waiting.for_budget - opened.jobs + case when m.stopped and not m.paused then line.jobs + due.jobs + opened.jobs else 0 end,
         held.live, held.busy,
         (extract(epoch from now() - least(case when not (m.paused or m.stopped) then least(line.oldest, due.oldest, opened.oldest) end, held.oldest)) * 1000)::bigint,
         ceil(extract(epoch from least(waiting.next, waiting.opens, held.next) - now()) * 1000)::bigint
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
  select demand(array_position(among, null) is null and among is not null, 'among', among::text, 'give an array of workers'' ids');
  select w.id from workers w
  where w.id = any (among)
    and (lease_ends(w) <= now() and exists (select from jobs j where j.state = 'running' and j.worker_id = w.id)
         or greatest(w.heartbeat_at, pg_postmaster_start_time()) <= now() - interval '2 minutes')
$$;

-- The scaler changed its mind, and why.
create or replace function codeteam.record_decision(service text, previous integer, target integer, reason text, observation jsonb)
returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select demand(num_nulls(service, reason, observation) = 0, 'a decision', 'without service, reason or observation', 'say all three'),
         demand(previous >= 0 and target >= 0, 'a decision', format('from %s to %s', previous, target), 'give numbers of workers from 0');
  insert into scale_decisions (service, previous, target, reason, observation)
  values (service, previous, target, reason, observation)
$$;
