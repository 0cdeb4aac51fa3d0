-- What a job's model calls cost, in their order.
select attempt, call, asked_at, model, cost_micros, settled, basis,
       uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning
from codeteam.calls where job_id = $1 order by call, attempt
