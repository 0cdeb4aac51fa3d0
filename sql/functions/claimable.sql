-- The jobs that stand in line, from its beginning on. take_jobs() walks the same line with locks, next_turn() along one repository.
create or replace view codeteam.in_line as
select j.id, j.mode, j.priority, j.turn, j.run_at, j.group_key, j.group_limit
from codeteam.lines l
join codeteam.jobs j on j.mode = l.mode and j.priority = l.priority and j.turn >= l.starts_at
where j.state = 'queued' and j.waits_for is null;

-- Those of them that can be claimed now.
create or replace view codeteam.claimable as
select j.id, j.mode, j.priority, j.turn, j.run_at, j.group_key, j.group_limit
from codeteam.in_line j
where j.mode <> all (array(select p.mode from codeteam.pauses p)) -- this and the next are asked once a statement, not once a job
  and not exists (select from codeteam.stops_in_force s where s.repo = '');
