-- A job as it stands, locked until the transaction ends. Internal.
-- QJ003 unknown_job: there is no job of that id.
create or replace function codeteam.lock_job(job uuid) returns codeteam.jobs
language plpgsql volatile as $$
declare
  held jobs;
begin
  select j.* into held from jobs j where j.id = lock_job.job for no key update;
  if not found then
    raise exception 'there is no job %', job using errcode = 'QJ003', hint = 'codeteam jobs lists them';
  end if;
  return held;
end
$$;
