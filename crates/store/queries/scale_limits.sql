-- The limits that are in force, and which of them a person has set.
select mode, coalesce(min, own_min) as min, coalesce(max, own_max) as max, coalesce(floor, own_floor) as floor,
       coalesce(cool_down_ms, own_cool_down_ms) as cool_down_ms, coalesce(jobs_per_worker, own_jobs_per_worker) as jobs_per_worker,
       num_nonnulls(min, max, floor, cool_down_ms, jobs_per_worker) > 0 as set_by_hand, paused_at, paused_reason
from codeteam.scale_limits order by mode desc
