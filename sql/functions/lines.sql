-- Where each line begins: see advance_line.sql. Internal.
create or replace view codeteam.line_beginnings as
select l.mode, l.priority, s.step, s.starts_at, s.next_start, s.next_xid
from codeteam.lines l
cross join lateral (
  select * from codeteam.line_steps s where s.mode = l.mode and s.priority = l.priority order by s.step desc limit 1) s;

-- Which line a job stands in: one for each mode and priority. A number, so that the index on it is quick to compare. Internal.
create or replace function codeteam.line_of(mode text, priority smallint) returns integer
language sql immutable as $$
  select priority + case mode when 'genius' then 10 else 0 end
$$;

-- Which part of the line: that of a repository. Two repositories may share a number, and then take turns as one. Internal.
create or replace function codeteam.lane_of(mode text, priority smallint, repo text) returns bigint
language sql immutable as $$
  select hashtextextended(repo, codeteam.line_of(mode, priority))
$$;

-- The jobs that stand in line, from its beginning on. take_jobs() walks the same line with locks, last_turn() along one lane.
create or replace view codeteam.in_line as
select j.id, j.mode, j.priority, j.turn, j.run_at, j.group_key, j.group_limit
from codeteam.line_beginnings l
join codeteam.jobs j on codeteam.line_of(j.mode, j.priority) = codeteam.line_of(l.mode, l.priority) and j.turn >= l.starts_at
  and j.mode = l.mode -- follows, but lets a question about one mode leave the other's lines out
where j.state = 'queued' and j.waits_for is null;

-- What the functions before these looked into.
drop view if exists codeteam.claimable;
drop index if exists codeteam.jobs_line, codeteam.jobs_lane;
alter table codeteam.lines drop column if exists starts_at, drop column if exists next_start, drop column if exists next_xid;
