-- The scaler's latest changes of mind, newest first.
select at, service, previous, target, reason, job_id, queued_at, called_at, first_heartbeat_at, claimed_at
from codeteam.scale_decisions order by at desc, id desc limit $1
