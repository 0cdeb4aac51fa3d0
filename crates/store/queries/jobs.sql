-- A page of jobs, newest first, each with what it has used. $1: a state or null; $2: a job or null; $3: how many.
select j.id, j.mode, j.task, j.repo, j.base, j.prompt, j.test_command, j.model, j.state, j.attempt, j.outcome, j.exit_reason,
       j.error, j.fingerprint, j.acknowledged_at, j.acknowledged_by, j.cancel_requested, j.worker_id,
       j.created_at, j.run_at, j.started_at, j.finished_at,
       exists (select from codeteam.pauses p where p.mode = j.mode) as paused,
       c.steps, c.cost_micros, c.uncached, c.cache_read, c.cache_write_5m, c.cache_write_1h, c.output, c.reasoning, c.models
from (
  select * from codeteam.jobs
  where ($1::text is null or state = $1) and ($2::uuid is null or id = $2)
  order by created_at desc, id limit $3
) j
cross join lateral (
  select count(*) filter (where settled and basis = 'reported') as steps,
         coalesce(sum(cost_micros), 0)::bigint as cost_micros,
         coalesce(sum(uncached), 0)::bigint as uncached, coalesce(sum(cache_read), 0)::bigint as cache_read,
         coalesce(sum(cache_write_5m), 0)::bigint as cache_write_5m, coalesce(sum(cache_write_1h), 0)::bigint as cache_write_1h,
         coalesce(sum(output), 0)::bigint as output, coalesce(sum(reasoning), 0)::bigint as reasoning,
         coalesce(array_agg(distinct model order by model) filter (where basis = 'reported'), '{}') as models
  from codeteam.calls where job_id = j.id
) c
order by j.created_at desc, j.id
