-- What can be claimed now. Claiming, looking and observing all read this one definition, so that nobody is woken for a job that
-- nobody may claim.
create or replace view codeteam.claimable as
select j.id, j.mode, j.priority, j.run_at
from codeteam.jobs j
where j.state = 'queued' and j.run_at <= now() -- a clock that ticks within a statement could not be looked up in an index
  and j.mode <> all (array(select p.mode from codeteam.pauses p)); -- asked once a statement, not once a job
