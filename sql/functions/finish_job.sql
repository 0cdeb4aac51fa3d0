-- Ends a job that this worker holds: the last events (what was verified and delivered) and the final state in one transaction,
-- so that a job has one result or none. Gives the state that the job has; said again after a lost answer, it changes nothing.
create or replace function codeteam.finish_job(
  job uuid, attempt integer, worker uuid, after_seq bigint,
  state text, outcome text, exit_reason text, error text, kinds text[], data jsonb[]
) returns text
language plpgsql volatile security definer set search_path = codeteam, pg_temp
set plan_cache_mode = force_generic_plan as $$
declare
  stands record;
begin
  if (kinds = '{}' and data = '{}' and after_seq >= 0) is not true then
    perform check_events(after_seq, kinds, data);
  end if;
  -- Locked before it is looked: the same call may be under way on a connection that the caller has given up.
  select j.state, j.attempt, j.worker_id, j.finished_at into stands from jobs j where j.id = finish_job.job for no key update;
  if stands.attempt = finish_job.attempt and stands.finished_at is not null then
    return stands.state;
  end if;
  if (stands.state = 'running' and stands.attempt = finish_job.attempt and stands.worker_id = finish_job.worker) is not true then
    perform hold(job, attempt, worker); -- raises, in the words that all fences have
  end if;
  if kinds <> '{}' then
    perform write_events(job, attempt, after_seq, kinds, data);
  end if;
  perform end_jobs(array[job], array[state], array[outcome], array[exit_reason], array[error]);
  return state;
end
$$;
