-- Ends a job that this worker holds: the last events (what was verified and delivered) and the final state in one transaction,
-- so that a job has one result or none. Gives the state that the job has; said again after a lost answer, it changes nothing.
create or replace function codeteam.finish_job(
  job uuid, attempt integer, worker uuid, after_seq bigint,
  state text, outcome text, exit_reason text, error text, kinds text[], data jsonb[]
) returns text
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  already text;
begin
  select j.state into already from jobs j
  where j.id = finish_job.job and j.attempt = finish_job.attempt and j.finished_at is not null;
  if found then
    return already;
  end if;
  perform append_events(job, attempt, worker, after_seq, kinds, data);
  perform end_job(job, state, outcome, exit_reason, error);
  return state;
end
$$;
