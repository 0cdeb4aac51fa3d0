-- A caller's own name for a piece of work: while a job of that name is open, another one is not made.

alter table codeteam.jobs
  add column dedupe_key text check (dedupe_key ~ '\S' and octet_length(dedupe_key) <= 500);
create unique index jobs_open_dedupe_key on codeteam.jobs (dedupe_key)
  where dedupe_key is not null and state in ('queued', 'running');

-- Its successor takes more parameters.
drop function if exists codeteam.submit_job(
  text, text, text, text, text, text, text, integer, bigint, bigint, bigint, smallint, timestamptz);
