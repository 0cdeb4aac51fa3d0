select mode, ready, paused, for_time, for_jobs, for_group, for_budget, running, busy, oldest_ready_ms, next_due_ms
from codeteam.observe()
