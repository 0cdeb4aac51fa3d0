-- What can be claimed now. Looking and observing read this definition; claim_jobs() walks the same line with locks.
create or replace view codeteam.claimable as
select j.id, j.mode, j.priority, j.turn, j.run_at, j.group_key, j.group_limit
from codeteam.lines l
join codeteam.jobs j on j.mode = l.mode and j.priority = l.priority and j.turn >= l.starts_at
where j.state = 'queued' and j.waits_for is null
  and l.mode <> all (array(select p.mode from codeteam.pauses p)) -- this and the next are asked once a statement, not once a job
  and not exists (select from codeteam.stops_in_force s where s.repo = '');
