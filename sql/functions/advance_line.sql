-- Moves the beginning of a line up to `turn`, which has just been claimed, in steps that others take part in. Internal.
--
-- A claim starts to look at starts_at, so a job that got a turn before it would never be found. Its inserter may be
-- under way for long. The argument is the doorbell's: next_start is written down first, and whoever sees it gives later turns only.
-- When that is committed, the transactions that may not have seen it are those whose ids were given out before. A snapshot's xmax does
-- not tell how far that is: it lies behind the latest id that has *ended*. So a new id is taken: that of a subtransaction. When all
-- before it have ended (xmin), what they put into line is visible, and the line can begin at next_start or at the first job before it.
-- Each step is a row of its own in line_steps, and removes the one before.
-- A transaction takes one step only, however many jobs it claims: what it has written itself is not committed.
create or replace function codeteam.advance_line(mode text, priority smallint, turn bigint) returns void
language plpgsql volatile as $$
declare
  line line_steps;
begin
  if current_setting('codeteam.line_advanced', true) = 'yes' then
    return;
  end if;
  select s.* into line from line_steps s where s.mode = advance_line.mode and s.priority = advance_line.priority
  order by s.step desc limit 1 for no key update skip locked;
  if not found then
    return; -- somebody else is at it
  end if;
  line.step := line.step + 1;
  if line.next_start > line.starts_at and line.next_xid is null then
    begin -- a subtransaction, and its row tells its id
      insert into line_steps select line.*;
    exception when division_by_zero then -- which cannot be; the clause is what makes it a subtransaction
      raise;
    end;
    update line_steps s set next_xid = (own + ((s.xmin::text::bigint - own) & 4294967295))::text::xid8 -- xmin has the lower half of it
    from cast(pg_current_xact_id()::text as bigint) as own
    where s.mode = line.mode and s.priority = line.priority and s.step = line.step;
  elsif line.next_start = line.starts_at or line.next_xid <= pg_snapshot_xmin(pg_current_snapshot()) then
    line.starts_at := least(line.next_start, (
      select j.turn from jobs j
      where j.state = 'queued' and j.waits_for is null and line_of(j.mode, j.priority) = line_of(line.mode, line.priority) and j.turn >= line.starts_at
      order by j.turn limit 1));
    line.next_start := greatest(turn, line.next_start);
    line.next_xid := null;
    insert into line_steps select line.*;
  else
    return; -- an old transaction is still under way
  end if;
  perform set_config('codeteam.line_advanced', 'yes', true);
  delete from line_steps s where s.mode = line.mode and s.priority = line.priority and s.step = line.step - 1;
end
$$;
