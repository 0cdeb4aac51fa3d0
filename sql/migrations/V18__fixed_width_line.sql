-- What each insert, claim and end paid for, and can be had for less (all measured in instructions of one backend).
-- Everybody waits while this reads the jobs twice: 100 ms for 25 MB.
lock table codeteam.jobs, codeteam.events in access exclusive mode;

-- The line's two indexes began with a text, so that each look at the line's head compared a page full of texts: numbers instead, those
-- of line_of() and lane_of(). The old ones go when the functions that use them have gone: see sql/functions/lines.sql.
create index jobs_in_line on codeteam.jobs ((priority + case mode when 'genius' then 10 else 0 end), turn)
  where state = 'queued' and waits_for is null;
create index jobs_in_lane on codeteam.jobs (hashtextextended(repo, priority + case mode when 'genius' then 10 else 0 end), turn)
  where state = 'queued' and waits_for is null;

-- The checks that hold states together, a fifth of each insert, claim and end, were read anew by each statement like those of before.
-- None but the functions write states, and the tests ask for the same after each step of a random walk.
alter table codeteam.jobs
  drop constraint acknowledged_means_ended, drop constraint final_means_explained,
  drop constraint only_queued_jobs_wait, drop constraint running_means_held;

-- The same for the words of events: append_events() and finish_jobs() look at them where they come in.
alter table codeteam.events drop constraint events_kind_check;

-- Where each line begins, a row for each step that it makes, the latest one counts: as updates of one row, an old snapshot kept them all,
-- and each claim passed them; the last of an index is found at once. The columns of lines go like the old indexes.
create table codeteam.line_steps (
  mode       text     not null,
  priority   smallint not null,
  step       bigint   not null,
  starts_at  bigint   not null, -- nothing that can be claimed has a turn before it
  next_start bigint   not null, -- what starts_at becomes when nobody can be under way any more who does not know of it
  next_xid   xid8, -- nobody is, once every transaction before this one has ended; null: not known yet
  primary key (mode, priority, step)
);
insert into codeteam.line_steps (mode, priority, step, starts_at, next_start)
select mode, priority, 0, starts_at, starts_at from codeteam.lines;
