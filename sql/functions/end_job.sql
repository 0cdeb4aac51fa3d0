-- Puts a job into a final state and writes the event that says so. Internal: the caller holds the row.
create or replace function codeteam.end_job(job uuid, state text, outcome text, exit_reason text, error text) returns void
language plpgsql volatile as $$
declare
  last_attempt integer;
begin
  update jobs j
  set state = end_job.state, outcome = end_job.outcome, exit_reason = end_job.exit_reason, error = end_job.error,
      fingerprint = case when end_job.state in ('failed', 'dead') then error_fingerprint(end_job.exit_reason, end_job.error) end,
      finished_at = clock_timestamp(), worker_id = null
  where j.id = end_job.job
  returning j.attempt into last_attempt;
  perform append_event(job, last_attempt, 'finished', jsonb_build_object(
    'state', end_job.state, 'outcome', end_job.outcome, 'exit_reason', end_job.exit_reason, 'error', end_job.error));
end
$$;
