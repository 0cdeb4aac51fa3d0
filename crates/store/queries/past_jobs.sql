-- The jobs of the last $1 days, for a simulation: when each was ready, and for how many milliseconds its last attempt ran; null where that
-- is not known yet. Jobs that were cancelled before anybody began are no work. The newest $2 of each state and mode, by jobs_listed.
select j.mode, greatest(j.run_at, j.created_at) as ready_at,
       case when j.started_at <= j.finished_at then (extract(epoch from j.finished_at - j.started_at) * 1000)::bigint end as worked_ms
from unnest(array['queued', 'running', 'succeeded', 'failed', 'cancelled', 'dead']) as s (state)
cross join unnest(array['mechanic', 'genius']) as m (mode)
cross join lateral (
  select * from codeteam.jobs
  where state = s.state and mode = m.mode and created_at > now() - make_interval(days => $1::integer)
  order by created_at desc, id desc limit $2
) j
where j.state <> 'cancelled' or j.started_at is not null
order by ready_at
