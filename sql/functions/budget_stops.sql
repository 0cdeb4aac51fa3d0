-- What becomes of jobs while a budget is spent: those of its repository step out of line and wait; when all repositories' is
-- spent, every line stands still, as in a pause. All internal.

-- The stops that hold. One whose time has come holds nobody, whether or not somebody has removed it.
create or replace view codeteam.stops_in_force as
select s.repo, s.since, s.opens_at, s.needs_micros from codeteam.budget_stops s
where s.opens_at is null or s.opens_at > clock_timestamp();

-- The repositories whose jobs of this mode still wait though no stop of theirs holds any more. From one to the next in the index, for
-- there may be many jobs.
create or replace function codeteam.reopened(mode text) returns setof text
language sql stable as $$
  with recursive waiting as (
    (select j.repo from jobs j where j.mode = reopened.mode and j.waits_for = 'budget' order by j.repo limit 1)
    union all
    select (select j.repo from jobs j where j.mode = reopened.mode and j.waits_for = 'budget' and j.repo > w.repo order by j.repo limit 1)
    from waiting w where w.repo is not null
  )
  select w.repo from waiting w
  where w.repo is not null and not exists (select from stops_in_force s where s.repo = w.repo)
$$;

-- Their jobs get back into line, up to `most`: those that had begun before the others. Claims do it first, so that no clock is needed.
create or replace function codeteam.line_up_reopened(mode text, most integer default 100) returns void
language plpgsql volatile as $$
declare
  back record;
begin
  for back in
    select j.id, j.begun from reopened(line_up_reopened.mode) r (repo)
    cross join lateral (
      select j.id, j.attempt > j.fresh_after as begun from jobs j
      where j.mode = line_up_reopened.mode and j.waits_for = 'budget' and j.repo = r.repo
      order by j.run_at limit most for no key update skip locked
    ) j
    limit most
  loop
    perform line_up(back.id, back.begun);
  end loop;
end
$$;

-- The locks of all groups that park_for_budget() may leave, and of `also`, in the order of their keys.
create or replace function codeteam.lock_groups_of(repo text, also text) returns void
language plpgsql volatile as $$
begin
  perform lock_group(g.key)
  from (
    select also as key where also is not null
    union
    select j.group_key from lines l join jobs j on lane_of(j.mode, j.priority, j.repo) = lane_of(l.mode, l.priority, lock_groups_of.repo)
    where j.state = 'queued' and j.waits_for is null and j.repo = lock_groups_of.repo and j.group_key is not null
    order by key
  ) g;
end
$$;

-- The jobs of a stopped repository step out of line, up to 1,000, so that no claim has to pass them again; of those that only their
-- groups hold back, too, or they would step in for one another. Who is just looked at by somebody is left to him.
create or replace function codeteam.park_for_budget(repo text) returns void
language plpgsql volatile as $$
declare
  key text;
begin
  for key in
    with parked as (
      update jobs set waits_for = 'budget'
      where id in (
        select j.id from lines l
        join jobs j on lane_of(j.mode, j.priority, j.repo) = lane_of(l.mode, l.priority, park_for_budget.repo)
        where j.state = 'queued' and j.waits_for is null and j.repo = park_for_budget.repo
        limit 1000 for no key update of j skip locked)
      returning group_key
    )
    select distinct p.group_key from parked p where p.group_key is not null order by p.group_key
  loop
    update jobs set waits_for = 'budget'
    where id in (
      select j.id from jobs j
      where j.group_key = key and j.state = 'queued' and j.waits_for = 'group' and j.repo = park_for_budget.repo
      limit 1000 for no key update skip locked);
    perform leave_group(key);
  end loop;
end
$$;

-- Ends a stop that has room for what was refused, or says when it opens now that its budgets have changed. Whoever is told that jobs may
-- go on puts them into line. The caller holds the budget's lock, or all spending.
create or replace function codeteam.weigh_stop(budget text, at timestamptz) returns void
language plpgsql volatile as $$
declare
  stop   budget_stops;
  blocks text[]; -- the periods of the budgets that have no room
begin
  select s.* into stop from budget_stops s where s.repo = budget;
  if not found then
    return;
  elsif stop.opens_at <= weigh_stop.at then
    delete from budget_stops s where s.repo = budget; -- it holds nobody any more, and everybody knows
    return;
  end if;
  select array_agg(b.period) into blocks from budgets b
  where b.repo = budget and spent(b.repo, b.period, weigh_stop.at) + stop.needs_micros > b.limit_micros;
  if blocks is null then
    delete from budget_stops s where s.repo = budget;
    perform ring(array['mechanic', 'genius', 'scaler']);
  else
    update budget_stops s set opens_at = case when 'ever' = any (blocks) then null else next_budget_day(weigh_stop.at) end
    where s.repo = budget;
  end if;
end
$$;

-- A job that was born waiting rang for nobody. If its stop ended meanwhile, it rings when it is about to be committed: whoever ends a
-- stop waits for the lock that is held from here to the commit, and sees the job after it. No stop is relied on that ends by
-- itself within a second.
create or replace function codeteam.budget_arrival() returns trigger
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  perform from budget_stops s
  where s.repo = new.repo and (s.opens_at is null or s.opens_at > clock_timestamp() + interval '1 second') for share;
  if not found then
    perform ring(array[new.mode, 'scaler']);
  end if;
  return null;
end
$$;

do $$ begin
  if not exists (select from pg_trigger t where t.tgrelid = 'codeteam.jobs'::regclass and t.tgname = 'arrive_for_budget') then
    create constraint trigger arrive_for_budget after insert on codeteam.jobs deferrable initially deferred
      for each row when (new.waits_for = 'budget') execute function codeteam.budget_arrival();
  end if;
end $$;
