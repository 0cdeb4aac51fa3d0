-- Ends an attempt in an error. retry_in_ms null: another attempt cannot help, the job fails. Otherwise it is tried again after
-- that time (1 ms to a day), or goes to the dead letters when its attempts are used up. Gives the state that the job has now.
create or replace function codeteam.fail_attempt(
  job uuid, attempt integer, worker uuid, exit_reason text, error text, retry_in_ms bigint
) returns text
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  delay_ms bigint := case when retry_in_ms is not null then least(greatest(retry_in_ms, 1), 86400000) end;
begin
  perform check_exit_reason(exit_reason);
  perform demand(error is not null, 'error', null, 'say what went wrong');
  perform hold(job, attempt, worker);
  update jobs j set failures = j.failures + 1, error = fail_attempt.error where j.id = fail_attempt.job;
  perform append_event(job, attempt, 'attempt_failed', jsonb_build_object(
    'reason', exit_reason, 'error', error, 'retry_in_ms', delay_ms));
  return end_attempt(job, delay_ms is not null, delay_ms, exit_reason, error);
end
$$;
