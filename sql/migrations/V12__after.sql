-- Jobs that come after others: each waits until all of them have succeeded.

alter table codeteam.jobs
  add column after uuid[], -- as it was asked for; what it still waits for stands in job_dependencies
  -- Greater than that of every job that it comes after. Who locks several jobs does it in the order of (depth, id), from the awaited to
  -- those that wait: sql/functions/after_ended.sql. Null only within the statement that inserts it.
  add column depth integer default 0;

-- What a waiting job still waits for. A row leaves when its after_id succeeds, all of a job's rows leave when the job ends: no finished
-- job has any, so that finished jobs can be deleted.
create table codeteam.job_dependencies (
  job_id    uuid    not null references codeteam.jobs on delete cascade,
  after_id  uuid    not null references codeteam.jobs,
  confirmed boolean not null default false, -- false only within the transaction that inserts it: sql/functions/after_confirm.sql
  primary key (job_id, after_id)
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_threshold = 20);
create index job_dependencies_after on codeteam.job_dependencies (after_id);
create index job_dependencies_unconfirmed on codeteam.job_dependencies (after_id) where not confirmed;

-- Its successor takes more parameters.
drop function if exists codeteam.submit_job(
  text, text, text, text, text, text, text, integer, bigint, bigint, bigint, smallint, timestamptz, text, uuid, text, smallint);
