-- A page of jobs, newest first, each with what it has used. $1: a job or null; else $2: states, $3: modes, $4 and $5: created_at and id
-- of the last job of the page before, or null; $6: how many.
-- jobs_listed has one part for each state and mode: each gives its newest, and the newest of those are the page.
with page as (
  select id, created_at from codeteam.jobs where id = $1::uuid
  union all
  (
    select j.id, j.created_at
    from unnest($2::text[]) as s (state)
    cross join unnest($3::text[]) as m (mode)
    cross join lateral (
      select id, created_at from codeteam.jobs
      where state = s.state and mode = m.mode
        and (created_at, id) < (coalesce($4::timestamptz, 'infinity'), coalesce($5::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
      order by created_at desc, id desc limit $6
    ) j
    where $1::uuid is null
    order by j.created_at desc, j.id desc limit $6
  )
)
select j.id, j.mode, j.task, j.repo, j.base, j.head, j.prompt, j.setup_command, j.test_command, j.delivery, j.model, j.state, j.attempt, j.outcome, j.exit_reason,
       j.error, j.fingerprint, j.acknowledged_at, j.acknowledged_by, j.cancel_requested, j.worker_id,
       j.created_at, j.run_at, j.started_at, j.finished_at,
       exists (select from codeteam.pauses p where p.mode = j.mode) as paused,
       j.waits_for, j.group_key,
       array(select d.after_id from codeteam.job_dependencies d
             where j.waits_for = 'jobs' and d.job_id = j.id order by d.after_id) as awaited,
       array(select g.id from codeteam.jobs g
             where j.waits_for = 'group' and g.group_key = j.group_key and g.state = 'running' order by g.started_at, g.id) as ahead,
       stop.repo = '' as stop_all, stop.opens_at as stop_opens_at,
       c.steps, c.cost_micros, c.uncached, c.cache_read, c.cache_write_5m, c.cache_write_1h, c.output, c.reasoning, c.models
from page
join codeteam.jobs j on j.id = page.id
left join lateral (
  select s.repo, s.opens_at from codeteam.stops_in_force s where j.state = 'queued' and s.repo in ('', j.repo) order by s.repo limit 1
) stop on true
cross join lateral (
  select count(*) filter (where settled and basis = 'reported') as steps,
         coalesce(sum(cost_micros), 0)::bigint as cost_micros,
         coalesce(sum(uncached), 0)::bigint as uncached, coalesce(sum(cache_read), 0)::bigint as cache_read,
         coalesce(sum(cache_write_5m), 0)::bigint as cache_write_5m, coalesce(sum(cache_write_1h), 0)::bigint as cache_write_1h,
         coalesce(sum(output), 0)::bigint as output, coalesce(sum(reasoning), 0)::bigint as reasoning,
         coalesce(array_agg(distinct model order by model) filter (where basis = 'reported'), '{}') as models
  from codeteam.calls where job_id = j.id
) c
order by j.created_at desc, j.id desc
