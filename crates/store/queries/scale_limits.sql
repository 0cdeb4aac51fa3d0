select mode, min, max, floor, cool_down_ms, jobs_per_worker, limits_set, paused_at, paused_reason
from codeteam.limits_in_force order by mode desc
