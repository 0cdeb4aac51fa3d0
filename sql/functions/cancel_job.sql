-- Asks for a job's end and gives the state that it has now: a queued job is cancelled at once, a running one when its worker
-- hears of it (the worker is rung directly), a finished one stays as it is.
-- QJ003 unknown_job: there is no job of that id.
create or replace function codeteam.cancel_job(job uuid) returns text
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  held jobs := lock_job(job);
begin
  if held.state = 'queued' then
    perform append_event(job, 0, 'cancel_requested', '{}');
    perform end_job(job, 'cancelled', 'none', 'cancelled', null);
    return 'cancelled';
  elsif held.state = 'running' and not held.cancel_requested then
    update jobs j set cancel_requested = true where j.id = cancel_job.job;
    perform append_event(job, 0, 'cancel_requested', '{}');
    perform pg_notify('codeteam_worker_' || held.worker_id, '');
  end if;
  return held.state;
end
$$;
