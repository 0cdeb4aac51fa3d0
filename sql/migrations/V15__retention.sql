-- History leaves when it is old: see functions/sweep_history.sql.

-- A dead job waits for a person, however long.
create index jobs_leaving on codeteam.jobs (finished_at)
  where finished_at is not null and (state <> 'dead' or acknowledged_at is not null);

-- Lists, newest first, by any state and mode, and counts. With the columns in this order new entries come at the end of their part
-- of the index, which stays dense. A list of everything is merged from the parts.
create index jobs_listed on codeteam.jobs (state, mode, created_at, id);
drop index codeteam.jobs_recent;

-- Events are written by functions only, which hold the job's row. A foreign key looks it up and locks it again for each event, which is
-- more than half as much work again as writing the event. Journals leave with their jobs all the same: see functions/jobs_leave.sql.
alter table codeteam.events drop constraint events_job_id_fkey;

-- What has left, by the day on which it finished (UTC).
create table codeteam.swept_days (
  day   date   not null,
  mode  text   not null check (mode in ('mechanic', 'genius')),
  state text   not null check (state in ('succeeded', 'failed', 'cancelled', 'dead')),
  jobs  bigint not null check (jobs > 0),
  primary key (mode, state, day)
);

-- Steady deletes leave little at a time, in tables where a fifth, the usual measure, would be years of it. What is only added to
-- is frozen early, so that no vacuum has to come back for all of it at once. To shrink a file, vacuum locks out everybody: the
-- tables that every insert or claim looks into keep their size.
alter table codeteam.jobs set (
  toast.autovacuum_vacuum_scale_factor = 0.02, vacuum_truncate = off);
alter table codeteam.events set (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05,
  autovacuum_freeze_min_age = 0, vacuum_truncate = off,
  toast.autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_insert_scale_factor = 0.05, toast.vacuum_truncate = off);
alter table codeteam.ledger set (
  autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05, autovacuum_freeze_min_age = 0);
alter table codeteam.workers set (autovacuum_vacuum_scale_factor = 0, vacuum_truncate = off);
alter table codeteam.sleepers set (autovacuum_vacuum_scale_factor = 0, vacuum_truncate = off);
