-- A job's journal leaves with it, whoever deletes the job.
create or replace function codeteam.jobs_leave() returns trigger
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  delete from events e using gone g where e.job_id = g.id;
  return null;
end
$$;

create or replace trigger leave after delete on codeteam.jobs
  referencing old table as gone for each statement execute function codeteam.jobs_leave();
