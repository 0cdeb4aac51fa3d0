-- A new job that is to come after others: what it waits for. In four parts, because a job may wait for one that the same statement
-- inserts later, and because a job that is there already (on conflict do nothing) must not get a second set of dependencies.

-- Before it is inserted: its depth, or null when it comes after a job that is not there yet or has no depth itself. Internal.
-- QJ011 invalid_after: no plain list of at most 100 other jobs.
create or replace function codeteam.after_depth(job uuid, after uuid[]) returns integer
language plpgsql volatile
set enable_seqscan = off as $$ -- as in jobs_await
declare
  deepest integer;
  known   bigint;
begin
  if array_ndims(after) > 1 or array_position(after, null) is not null then
    raise exception 'job %: after holds a null or a list: write the ids of the jobs to wait for, and nothing else', job
      using errcode = 'QJ011';
  elsif cardinality(after) > 100 then
    raise exception 'job % is to come after % jobs, and 100 is the most: let a job in between wait for some of them',
      job, cardinality(after) using errcode = 'QJ011';
  elsif job = any (after) then
    raise exception 'job % is to come after itself: take it out of after', job using errcode = 'QJ011';
  end if;
  select max(a.depth), count(a.depth) into deepest, known from jobs a where a.id = any (after_depth.after);
  return case when known = (select count(distinct a) from unnest(after) a) then deepest + 1 end;
end
$$;

-- Once its statement has inserted all its rows: what does not stand yet, and freedom at once if nothing is left. Internal.
-- QJ011 invalid_after: it waits for a job that is not there, that ended without success, or, through others, for itself.
create or replace function codeteam.await_jobs(job uuid) returns void
language plpgsql volatile as $$
declare
  me    jobs;
  other record;
begin
  select j.* into me from jobs j where j.id = await_jobs.job;
  select x.id, a.state into other
  from unnest(me.after) as x (id) left join lateral (select a.state from jobs a where a.id = x.id offset 0) a on true
  where a.state is null or a.state in ('failed', 'cancelled', 'dead') limit 1;
  if found and other.state is null then
    raise exception 'job % is to come after job %, and there is none: give the id of a job that is there, or submit both together',
      job, other.id using errcode = 'QJ011';
  elsif found then
    raise exception 'job % is to come after job %, which is %: retry that one first, or take it out of after',
      job, other.id, other.state using errcode = 'QJ011';
  end if;
  if me.depth is null then
    perform rank_jobs(job);
  end if;
  insert into job_dependencies (job_id, after_id)
  select me.id, a.id from jobs a where a.id = any (me.after) and a.state <> 'succeeded'
  on conflict do nothing;
  if not exists (select from job_dependencies d where d.job_id = await_jobs.job) then
    perform free_jobs(array[job]);
  end if;
end
$$;

-- Those of these jobs that still wait wait for no other any more: claims put them into line when their time has come. Internal: the
-- caller holds the rows.
create or replace function codeteam.free_jobs(ids uuid[]) returns void
language plpgsql volatile as $$
declare
  modes text[];
begin
  with freed as (
    update jobs j set waits_for = 'time'
    from (select w.id, w.waits_for from jobs w where w.id = any (ids) offset 0) w
    where w.waits_for = 'jobs' and j.id = w.id returning j.mode)
  select array_agg(distinct f.mode) into modes from freed f;
  if modes is not null then
    perform ring(modes || 'scaler'::text);
  end if;
end
$$;

create or replace function codeteam.jobs_await() returns trigger
language plpgsql volatile security definer set search_path = codeteam, pg_temp
-- Plans are made while job_dependencies is empty, and used when it is not: only those by index hold good. And what they are thought to
-- cost then would have each look-up compiled.
set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off as $$
begin
  perform await_jobs(new.id);
  return null;
end
$$;

create or replace trigger await after insert on codeteam.jobs
  for each row when (new.waits_for = 'jobs') execute function codeteam.jobs_await();
