-- Puts a job that was running back into the queue, due in `delay_ms` milliseconds, and rings. With a delay of 0 it was interrupted, and
-- goes to the head of its line, unless its repository's budget is spent. Internal: the caller holds the row.
create or replace function codeteam.requeue(job uuid, delay_ms bigint) returns void
language plpgsql volatile as $$
declare
  back jobs;
begin
  update jobs j
  set state = 'queued', worker_id = null,
      waits_for = case when delay_ms > 0 then 'time' when exists (select from stops_in_force s where s.repo = j.repo) then 'budget' end,
      run_at = case when delay_ms > 0 then clock_timestamp() + make_interval(secs => delay_ms / 1000.0) else j.run_at end
  where j.id = requeue.job
  returning j.* into back;
  if back.waits_for is null then
    perform line_up(job, true);
  end if;
  if back.group_key is not null then
    perform leave_group(back.group_key);
  end if;
  perform ring(array[back.mode, 'scaler']);
end
$$;
