-- Puts a failed, cancelled or dead job back into the queue for a fresh start: with full caps, from the same commit.
-- QJ003 unknown_job; QJ002 wrong_state: it is still open, or it succeeded.
create or replace function codeteam.retry_job(job uuid) returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  held jobs;
begin
  select j.* into held from jobs j where j.id = retry_job.job for no key update;
  if not found then
    raise exception 'there is no job %', job using errcode = 'QJ003', hint = 'codeteam jobs lists them';
  end if;
  if held.state not in ('failed', 'cancelled', 'dead') then
    raise exception 'job % is %: only a failed, cancelled or dead job can be retried', job, held.state using errcode = 'QJ002';
  end if;
  update jobs j
  set fresh_after = j.attempt, failures = 0, deaths = 0, cancel_requested = false, outcome = null, exit_reason = null, error = null,
      finished_at = null, state = 'queued', run_at = clock_timestamp()
  where j.id = retry_job.job;
  perform append_event(job, 0, 'retried', '{}');
  perform requeue(job, 0);
end
$$;
