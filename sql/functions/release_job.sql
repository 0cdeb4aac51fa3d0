-- Gives a job back unharmed: no attempt is burnt, and it keeps its place in the queue. A job whose end was asked for meanwhile
-- ends here.
create or replace function codeteam.release_job(job uuid, attempt integer, worker uuid, reason text) returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  held jobs := hold(job, attempt, worker);
begin
  perform demand(reason is not null, 'reason', null, 'say why it is given back');
  perform append_event(job, attempt, 'released', jsonb_build_object('reason', reason));
  if held.cancel_requested then
    perform end_job(job, 'cancelled', 'none', 'cancelled', null);
  else
    perform requeue(job, 0);
  end if;
end
$$;
