-- Failed and dead jobs stay until a person retries or acknowledges them. What ended by the same error has the same fingerprint.

alter table codeteam.jobs
  add column fingerprint     text check (fingerprint ~ '^[0-9a-f]{16}$'), -- of the error that it ended by: functions/error_fingerprint.sql
  add column acknowledged_at timestamptz, -- a person has seen it and wants nothing more of it
  add column acknowledged_by text check (acknowledged_by ~ '\S' and octet_length(acknowledged_by) <= 200),
  add constraint acknowledged_means_ended check
    ((acknowledged_at is null) = (acknowledged_by is null) and (acknowledged_at is null or state in ('failed', 'dead')));

-- The dead letters, oldest first, and those that are alike.
create index jobs_dead_letters on codeteam.jobs (finished_at, id)
  where state in ('failed', 'dead') and acknowledged_at is null;
create index jobs_dead_alike on codeteam.jobs (fingerprint, finished_at, id)
  where state in ('failed', 'dead') and acknowledged_at is null;

-- Its successor takes changes.
drop function if exists codeteam.retry_job(uuid);
