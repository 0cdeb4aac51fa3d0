-- Puts a job back into the queue, due in `delay_ms` milliseconds, and rings. Internal: the caller holds the row.
-- A delay of 0 leaves run_at alone, so that an interrupted job keeps its place.
create or replace function codeteam.requeue(job uuid, delay_ms bigint) returns void
language plpgsql volatile as $$
declare
  job_mode text;
begin
  update jobs j
  set state = 'queued', worker_id = null,
      run_at = case when delay_ms > 0 then clock_timestamp() + make_interval(secs => delay_ms / 1000.0) else j.run_at end
  where j.id = requeue.job
  returning j.mode into job_mode;
  perform ring(array[job_mode, 'scaler']);
end
$$;
