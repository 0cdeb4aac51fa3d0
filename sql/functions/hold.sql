-- The fence: locks the job's row if this worker still holds this attempt of it, and raises otherwise. Internal.
-- QJ001 stale_lease: the job went to somebody else, ended, or was given back. Stop working on it; nothing was written.
create or replace function codeteam.hold(job uuid, attempt integer, worker uuid) returns codeteam.jobs
language plpgsql volatile as $$
declare
  held jobs;
begin
  select j.* into held from jobs j
  where j.id = hold.job and j.state = 'running' and j.attempt = hold.attempt and j.worker_id = hold.worker
  for no key update;
  if not found then
    raise exception 'attempt % of job % is no longer held by worker %', attempt, job, worker
      using errcode = 'QJ001', hint = 'stop working on it: another attempt owns the job now';
  end if;
  return held;
end
$$;
