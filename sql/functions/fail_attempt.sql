-- Ends an attempt in an error. retry_in_ms null: another attempt cannot help, the job fails. Otherwise it is tried again after
-- that time, or goes to the dead letters when its attempts are used up. Gives the state that the job has now.
create or replace function codeteam.fail_attempt(
  job uuid, attempt integer, worker uuid, exit_reason text, error text, retry_in_ms bigint
) returns text
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
#variable_conflict use_variable
declare
  held      jobs    := hold(job, attempt, worker);
  burnt     integer := held.failures + held.deaths + 1;
  may_retry boolean := retry_in_ms is not null and burnt < held.max_attempts and not held.cancel_requested;
begin
  update jobs j set failures = j.failures + 1, error = fail_attempt.error where j.id = fail_attempt.job;
  perform append_event(job, attempt, 'attempt_failed', jsonb_build_object(
    'reason', exit_reason, 'error', error, 'retry_in_ms', case when may_retry then retry_in_ms end));
  if may_retry then
    perform requeue(job, greatest(retry_in_ms, 1));
    return 'queued';
  elsif held.cancel_requested then
    perform end_job(job, 'cancelled', 'none', 'cancelled', null);
    return 'cancelled';
  elsif retry_in_ms is null then
    perform end_job(job, 'failed', 'none', exit_reason, error);
    return 'failed';
  end if;
  perform end_job(job, 'dead', 'none', exit_reason, format('given up after %s attempts: %s', burnt, error));
  return 'dead';
end
$$;
