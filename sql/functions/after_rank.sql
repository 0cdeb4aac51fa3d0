-- Gives a depth to a job that has none, and to those without one that it comes after: all of one statement, which named a job before
-- it inserted it. From those that wait for none of the others upwards; what is left over at the end waits for itself. Internal.
-- QJ011 invalid_after: a cycle.
create or replace function codeteam.rank_jobs(job uuid) returns void
language plpgsql volatile as $$
declare
  unranked uuid[];
  ready    uuid[];
  ranked   bigint := 0;
  step     bigint;
  stuck    uuid;
begin
  -- Look-ups in fences (offset 0): whatever the planner thinks of these tables, it goes from one job to the next by index.
  with recursive below (id) as (
    select rank_jobs.job
    union
    select a.id
    from below b, lateral (select j.after from jobs j where j.id = b.id offset 0) j,
         lateral (select a.id, a.depth from jobs a where a.id = any (j.after) offset 0) a
    where a.depth is null
  )
  select array_agg(b.id) into unranked from below b;
  insert into job_dependencies (job_id, after_id)
  select j.id, a.id
  from jobs j, lateral (select a.id from jobs a where a.id = any (j.after) and a.state <> 'succeeded' offset 0) a
  where j.id = any (unranked)
  on conflict do nothing;

  ready := array(
    select u from unnest(unranked) u
    where (select count(*) from job_dependencies d, lateral (select a.depth from jobs a where a.id = d.after_id offset 0) a
           where d.job_id = u and a.depth is null) = 0);
  while ready <> '{}' loop
    update jobs j set depth = 1 + (select max(a.depth) from jobs a where a.id = any (j.after)) where j.id = any (ready);
    get diagnostics step = row_count;
    ranked := ranked + step;
    ready := array(
      select distinct d.job_id
      from unnest(ready) r, lateral (select d.job_id from job_dependencies d where d.after_id = r offset 0) d,
           lateral (select j.depth from jobs j where j.id = d.job_id offset 0) j
      where j.depth is null
        and (select count(*) from job_dependencies o, lateral (select a.depth from jobs a where a.id = o.after_id offset 0) a
             where o.job_id = d.job_id and a.depth is null) = 0);
  end loop;

  if ranked < cardinality(unranked) then
    -- Each of those left waits for another of them: so many steps from one to the next lead into the cycle.
    stuck := (select j.id from jobs j where j.id = any (unranked) and j.depth is null limit 1);
    for step in 1 .. cardinality(unranked) - ranked loop
      stuck := (select a.id from job_dependencies d join jobs a on a.id = d.after_id
                where d.job_id = stuck and a.depth is null limit 1);
    end loop;
    raise exception 'job % is to come after jobs that come after it: break the cycle', stuck using errcode = 'QJ011';
  end if;
end
$$;
