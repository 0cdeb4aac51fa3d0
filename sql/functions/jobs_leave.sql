-- A job's journal leaves with it, whoever deletes the job; of an open one its place in its group is handed on.
create or replace function codeteam.jobs_leave() returns trigger
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  delete from events e using gone g where e.job_id = g.id;
  perform leave_group(g.group_key)
  from (select o.group_key from gone o where o.group_key is not null and o.state in ('queued', 'running') order by o.group_key) g;
  return null;
end
$$;

create or replace trigger leave after delete on codeteam.jobs
  referencing old table as gone for each statement execute function codeteam.jobs_leave();
