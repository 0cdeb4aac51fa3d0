-- Takes up to `most` jobs of `mode` from the head of the line for a claim, under row locks; gives their ids. Those in the way whose
-- group is full, or whose budget is spent, step out of line. `holds`: the caller may hold groups' locks already. `stopped`: some budget is
-- spent. Internal.
drop function if exists codeteam.take_jobs(uuid, text, integer, boolean);
create or replace function codeteam.take_jobs(worker uuid, mode text, most integer, holds boolean, stopped boolean) returns uuid[]
language plpgsql volatile as $$
declare
  next  record;
  taken uuid[] := '{}';
  room  boolean; -- in the group of the next one
  again boolean; -- whether to look once more, because some stepped out of line
begin
  for round in 1 .. 5 loop -- one call does not empty a long queue of jobs that have to wait
    again := false;
    for next in
      -- One priority after the other, each from the beginning of its line: the nested loop stops when it has enough.
      select j.* from (select * from line_beginnings l where l.mode = take_jobs.mode order by l.priority desc offset 0) l
      cross join lateral (
        select j.id, j.priority, j.turn, j.repo, j.group_key, j.group_limit from jobs j
        where j.state = 'queued' and j.waits_for is null and j.mode = l.mode and line_of(j.mode, j.priority) = line_of(l.mode, l.priority) and j.turn >= l.starts_at
          and j.id <> all (taken)
        order by j.turn limit most - cardinality(taken) for no key update skip locked
      ) j
      limit most - cardinality(taken)
    loop
      if random() < 1.0 / 128 then -- few claims write to line_steps
        perform advance_line(take_jobs.mode, next.priority, next.turn);
      end if;
      if stopped and exists (select from stops_in_force s where s.repo = next.repo) then
        if holds then
          return taken; -- as below
        end if;
        perform park_for_budget(next.repo);
        again := true;
        holds := true;
      elsif next.group_key is null then
        taken := taken || next.id;
      else
        room := group_has_room(next.group_key, next.group_limit, not holds);
        holds := true;
        if room is null then
          return taken; -- the rest is left for the next claim
        elsif room then
          taken := taken || next.id;
          update jobs j set state = 'running', worker_id = take_jobs.worker where j.id = next.id; -- counts from now on
        else
          perform park_group(next.group_key);
          again := true;
        end if;
      end if;
    end loop;
    exit when not again or cardinality(taken) >= most;
  end loop;
  return taken;
end
$$;
