-- What becomes of a job whose attempt ended without a result; gives its state. Internal: the caller holds the row and has counted
-- the failure or the death. In this order: somebody asked for its end; another attempt cannot help; it has had its chances
-- (three worker deaths are as many as anybody needs to see); it is tried again after delay_ms.
create or replace function codeteam.end_attempt(job uuid, may_retry boolean, delay_ms bigint, exit_reason text, error text)
returns text
language plpgsql volatile as $$
declare
  held jobs;
begin
  select j.* into held from jobs j where j.id = end_attempt.job;
  if held.cancel_requested then
    perform end_job(job, 'cancelled', 'none', 'cancelled', null);
    return 'cancelled';
  elsif not may_retry then
    perform end_job(job, 'failed', 'none', exit_reason, error);
    return 'failed';
  elsif held.deaths >= 3 or held.failures + held.deaths >= held.max_attempts then
    perform end_job(job, 'dead', 'none', exit_reason,
      format('given up after %s attempts: %s', held.failures + held.deaths, error));
    return 'dead';
  end if;
  perform requeue(job, delay_ms);
  return 'queued';
end
$$;
