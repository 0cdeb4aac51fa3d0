-- What the scaler decides from and a dashboard shows: one row per mode, all from one snapshot. Counts of queued jobs end at 1,000: more
-- makes no difference to a decision, and a long queue must not make it slow.
--   ready            jobs that a worker could start now, expired leases among them; of a group as many as it has room for
--   paused, for_time, for_jobs, for_group, for_budget   queued jobs that wait, by reason
--   running          jobs under a live lease
--   busy             workers that hold one of those
--   oldest_ready_ms  for how long the oldest of the ready jobs has been ready
--   next_due_ms      until the next one becomes ready by itself
--   stuck            running jobs that are over their SLA: see tend.sql
--   in_the_way       jobs in line, of the first 1,000, whose group is full: nobody claims, or they would have stepped out of it
--   workers          workers that are there, lost ones among them
--   lost             those of them that have been silent for two minutes
--   unheard_ms       for how long the most silent of the workers that are there has been so
--   busy_ids         the workers that hold a job and must not be stopped
--   silent_ids       those of `among` that hang: see silent_workers()
--   connections      of the whole cluster's databases, this one among them
--   min, max, floor, cool_down_ms, jobs_per_worker, scaling_paused   as in limits_in_force
drop function if exists codeteam.observe();
create or replace function codeteam.observe(among uuid[] default '{}', sla_ms bigint default 600000)
returns table (mode text, ready bigint, paused bigint, for_time bigint, for_jobs bigint, for_group bigint, for_budget bigint,
               running bigint, busy bigint, oldest_ready_ms bigint, next_due_ms bigint,
               stuck bigint, in_the_way bigint, workers bigint, lost bigint, unheard_ms bigint, busy_ids uuid[], silent_ids uuid[], connections bigint,
               min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer, scaling_paused boolean)
language plpgsql stable security definer set search_path = codeteam, pg_temp
-- Plans: see ARCHITECTURE.md. Not in SQL, which would make this long plan anew in every call, at three times the cost of the rest.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
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
