-- At most n running jobs of a group, exactly, whoever claims at the same moment. Who starts a job of a group, or ends one, holds the
-- group's lock until its transaction ends, and counts only then. Queueing takes no lock. All internal.

create or replace function codeteam.lock_group(group_key text) returns void
language sql volatile as $$
  select pg_advisory_xact_lock(hashtextextended('codeteam group ' || group_key, 0))
$$;

-- Whether one more may run. Holds the group's lock from then on. Null: somebody else holds it, and the caller would not wait: who
-- holds one group's lock waits for no other's, or two could wait for each other.
create or replace function codeteam.group_has_room(group_key text, group_limit smallint, wait boolean) returns boolean
language plpgsql volatile as $$
begin
  if wait then
    perform lock_group(group_has_room.group_key);
  elsif not pg_try_advisory_xact_lock(hashtextextended('codeteam group ' || group_has_room.group_key, 0)) then
    return null;
  end if;
  return (select count(*) from jobs j where j.group_key = group_has_room.group_key and j.state = 'running') < group_has_room.group_limit;
end
$$;

-- The group is full: those in line step out of it, so that no claim has to pass them again. Those that somebody is just looking at
-- are left to him. The caller holds the group's lock.
create or replace function codeteam.park_group(group_key text) returns void
language sql volatile as $$
  update jobs set waits_for = 'group', turn = -1 -- end_job() knows it by that
  where id in (
    select j.id from jobs j
    where j.group_key = park_group.group_key and j.state = 'queued' and j.waits_for is null
      and j.group_limit <= (select count(*) from jobs r where r.group_key = park_group.group_key and r.state = 'running')
    limit 1000 for no key update skip locked)
$$;

-- A job of the group no longer runs, or will not: the next one of each mode gets into line. Who holds the row of a parked job is just
-- cancelling it, and needs no lock of the group for that: so it can be waited for, and if it is cancelled, the next one is taken.
create or replace function codeteam.leave_group(group_key text) returns void
language plpgsql volatile as $$
declare
  running bigint;
  kind    text;
  next    uuid;
begin
  perform lock_group(leave_group.group_key);
  select count(*) into running from jobs j where j.group_key = leave_group.group_key and j.state = 'running';
  foreach kind in array array['mechanic', 'genius'] loop
    select j.id into next from jobs j
    where j.group_key = leave_group.group_key and j.state = 'queued' and j.waits_for = 'group' and j.mode = kind
      and j.group_limit > running
    order by j.priority desc, j.run_at, j.id limit 1 for no key update;
    if found then
      perform line_up(next);
      perform ring(array[kind, 'scaler']);
    end if;
  end loop;
end
$$;

-- The full groups at the head of a mode's line step out of it, without a claim. One that somebody else is busy with is left to him.
create or replace function codeteam.step_out_of_the_way(mode text) returns void
language sql volatile as $$
  select park_group(g.group_key)
  from (select f.group_key, min(f.group_limit) as group_limit
        from (select i.group_key, i.group_limit from in_line i where i.mode = step_out_of_the_way.mode limit 1000) f
        where f.group_key is not null group by f.group_key having count(*) > 1 offset 0) g
  where group_has_room(g.group_key, g.group_limit, false) is false
$$;
