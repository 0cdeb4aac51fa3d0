-- Jobs have ended, and others come after them. Of one that succeeded, those that wait for nothing else are free. Of one that did not, all
-- that come after it are cancelled, however far down: nobody retries what was given up by itself.
--
-- Every lock on several jobs is taken in the order of (depth, id), from an awaited job to those that wait, so that two who end jobs at
-- the same moment cannot wait for each other. So all that is to be changed is locked before anything is. Somebody whose commit was waited
-- for may have come to wait in between: then the locks are given back, and it starts anew. Internal.
create or replace function codeteam.end_waiting(ended uuid[]) returns void
language plpgsql volatile
set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off as $$ -- as in jobs_await
declare
  good   uuid[] := array(select j.id from jobs j where j.id = any (ended) and j.state = 'succeeded');
  bad    uuid[] := array(select e from unnest(ended) e where e <> all (good));
  next   uuid[]; -- come right after a good one
  doomed uuid[]; -- come after a bad one, however far down
begin
  loop
    next := array(select d.job_id from unnest(good) g, lateral (select d.job_id from job_dependencies d where d.after_id = g offset 0) d);
    doomed := array(
      with recursive below (id) as (
        select d.job_id from unnest(bad) b, lateral (select d.job_id from job_dependencies d where d.after_id = b offset 0) d
        union
        select d.job_id from below b, lateral (select d.job_id from job_dependencies d where d.after_id = b.id offset 0) d
      )
      select id from below);
    begin
      perform from jobs j where j.id = any (next || doomed) order by j.depth, j.id for no key update;
      exit when not exists (
        select from unnest(doomed) x, lateral (select d.job_id from job_dependencies d where d.after_id = x offset 0) d
        where d.job_id not in (select unnest(doomed)));
      raise exception using errcode = 'QJ000';
    exception when sqlstate 'QJ000' then
      null; -- gives the locks back
    end;
  end loop;

  delete from job_dependencies d where d.after_id = any (good);
  -- Whoever settles another one of theirs at this moment waits for these locks, and will see that it was the last.
  perform free_jobs(array(
    select n from unnest(next) n where (select count(*) from job_dependencies d where d.job_id = n) = 0));
  -- Those that somebody has ended in the meantime wait for nothing any more.
  perform end_jobs(array_agg(w.id), array_agg('cancelled'::text), array_agg('none'::text), array_agg('cancelled'::text), array_agg(
    format('it comes after job %s, which is %s: retry that one, then this one', w.after_id, w.state)))
  from (
    select x.id, why.*
    from unnest(doomed) x (id), lateral (
      select d.after_id, case when d.after_id = any (bad) then a.state else 'cancelled' end as state
      from job_dependencies d, lateral (select a.state from jobs a where a.id = d.after_id offset 0) a
      where d.job_id = x.id and (d.after_id = any (bad) or d.after_id in (select unnest(doomed)))
      order by d.after_id <> all (bad) limit 1) why
  ) w
  having count(*) > 0;
end
$$;

-- A job that is retried waits once more for those of its `after` that are on their way again. Whoever retries it without them
-- wants it without them. False: it waits for nothing. Internal: the caller holds the row.
create or replace function codeteam.await_again(job uuid) returns boolean
language plpgsql volatile
set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off as $$
begin
  insert into job_dependencies (job_id, after_id)
  select await_again.job, a.id
  from jobs j, lateral (select a.id, a.state from jobs a where a.id = any (j.after) offset 0) a
  where j.id = await_again.job and a.state in ('queued', 'running');
  if found then
    update jobs j set waits_for = 'jobs' where j.id = await_again.job;
    return true;
  end if;
  return false;
end
$$;

drop function if exists codeteam.settle_dependants(uuid[]);
