-- The workers that are there, or were lately.
select w.id, w.mode, w.host, w.pid, w.version, w.sandbox, w.started_at, w.heartbeat_at, w.stopped_at, j.id as job_id
from codeteam.workers w
left join codeteam.jobs j on j.state = 'running' and j.worker_id = w.id
where w.stopped_at is null and w.heartbeat_at > clock_timestamp() - interval '2 minutes'
order by w.started_at
