select mode, ready, paused, for_time, for_jobs, for_group, for_budget, running, busy, oldest_ready_ms, next_due_ms,
       stuck, in_the_way, workers, lost, unheard_ms, busy_ids, silent_ids, connections,
       min, max, floor, cool_down_ms, jobs_per_worker, scaling_paused
from codeteam.observe($1, $2)
