-- An attempt is over that nothing went wrong with: the job keeps its place in the queue, or ends if that was asked for meanwhile.
-- Internal: the caller holds the row.
create or replace function codeteam.give_back(held codeteam.jobs, reason text) returns void
language plpgsql volatile as $$
begin
  perform append_event(held.id, held.attempt, 'released', jsonb_build_object('reason', reason));
  if held.cancel_requested then
    perform end_job(held.id, 'cancelled', 'none', 'cancelled', null);
  else
    perform requeue(held.id, 0);
  end if;
end
$$;

-- Gives a job back unharmed: no attempt is burnt, and it keeps its place in the queue. A job whose end was asked for meanwhile
-- ends here.
create or replace function codeteam.release_job(job uuid, attempt integer, worker uuid, reason text) returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  held jobs := hold(job, attempt, worker);
begin
  perform demand(reason is not null, 'reason', null, 'say why it is given back');
  perform give_back(held, reason);
end
$$;
