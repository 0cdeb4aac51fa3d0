-- What can be claimed stands in one line per mode and priority, ordered by `turn`: fair across repositories, then by age.
-- What cannot yet be claimed says what it waits for, and has no turn that counts.

alter table codeteam.jobs
  -- null: nothing, it stands in line (or is no longer queued)
  add column waits_for text check (waits_for in ('time', 'jobs', 'group', 'budget')),
  -- round << 33 | number of arrival: see sql/functions/next_turn.sql
  add column turn bigint not null default 0,
  add constraint only_queued_jobs_wait check (waits_for is null or state = 'queued'),
  add constraint jobs_priority_check check (priority between 0 and 9);

-- Jobs of before: each repository's first in the first round, its second in the second.
update codeteam.jobs j
set waits_for = case when j.run_at > now() then 'time' end, turn = (n.round << 33) | n.arrival
from (select id, row_number() over (partition by mode, priority, repo order by run_at, id) as round,
             row_number() over (order by run_at, id) as arrival
      from codeteam.jobs where state = 'queued') n
where j.id = n.id;

drop index codeteam.jobs_queued, codeteam.jobs_due;
create index jobs_line on codeteam.jobs (mode, priority, turn) where state = 'queued' and waits_for is null;
-- The same line, one repository at a time.
create index jobs_lane on codeteam.jobs (mode, priority, hashtextextended(repo, 0), turn)
  where state = 'queued' and waits_for is null;
create index jobs_waiting on codeteam.jobs (mode, waits_for, run_at) where waits_for is not null;

create sequence codeteam.arrivals minvalue 0 maxvalue 8589934591 cycle;
do $$ begin perform setval('codeteam.arrivals', (select count(*) from codeteam.jobs)); end $$;

-- Where each line begins: nothing that can be claimed has a turn before it. Only a short cut, for the time in which a long
-- snapshot elsewhere keeps the dead entries of claimed jobs in the index: see sql/functions/advance_line.sql.
create table codeteam.lines (
  mode       text     not null check (mode in ('mechanic', 'genius')),
  priority   smallint not null check (priority between 0 and 9),
  starts_at  bigint   not null default 0,
  next_start bigint   not null default 0, -- what starts_at becomes when nobody can be under way any more who does not know of it
  next_xid   xid8, -- nobody is, once every transaction before this one has ended; null: not known yet
  primary key (mode, priority)
) with (fillfactor = 10, autovacuum_vacuum_threshold = 20);
insert into codeteam.lines (mode, priority)
select mode, priority from unnest(array['mechanic', 'genius']) as mode, generate_series(0, 9) as priority;

-- Their successors take many at once, give more columns, or ring for each row.
drop function if exists codeteam.claim_job(uuid, text);
drop view if exists codeteam.claimable;
drop function if exists codeteam.observe();
drop trigger if exists doorbell on codeteam.jobs;
drop function if exists codeteam.jobs_doorbell();
