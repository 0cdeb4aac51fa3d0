-- At the commit that makes a job wait: what it waits for may have ended since it was looked at, and whoever ended it could not see the
-- uncommitted dependency. So the awaited jobs are locked, and looked at again; who ends one of them afterwards sees the dependency.
-- At the commit, because a worker cannot write to its job while somebody holds that lock, and transactions may be long.
-- All that the transaction has made at the first call, because locks are taken in the order of (depth, id). Above READ COMMITTED a job that
-- has changed since the snapshot fails this commit as it would any (40001): try again.
create or replace function codeteam.dependencies_confirm() returns trigger
language plpgsql volatile security definer set search_path = codeteam, pg_temp
set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off as $$ -- as in jobs_await
declare
  awaited uuid[];
  ended   uuid[];
begin
  if (select d.confirmed from job_dependencies d where d.job_id = new.job_id and d.after_id = new.after_id) is distinct from false then
    return null; -- an earlier call saw to it, or it is gone
  end if;
  -- None but this transaction's own are visible and unconfirmed.
  awaited := array(select distinct d.after_id from job_dependencies d where not d.confirmed);
  perform from jobs a where a.id = any (awaited) order by a.depth, a.id for share;
  update job_dependencies d set confirmed = true where not d.confirmed;
  ended := array(select a.id from jobs a where a.id = any (awaited) and a.state not in ('queued', 'running'));
  if ended <> '{}' then
    perform end_waiting(ended);
  end if;
  return null;
end
$$;

do $$
begin
  -- A constraint trigger knows no "or replace".
  if not exists (select from pg_trigger where tgrelid = 'codeteam.job_dependencies'::regclass and tgname = 'confirm') then
    create constraint trigger confirm after insert on codeteam.job_dependencies deferrable initially deferred
      for each row execute function codeteam.dependencies_confirm();
  end if;
end
$$;
