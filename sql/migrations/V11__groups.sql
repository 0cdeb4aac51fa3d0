-- Jobs that must not run side by side, as those of one branch: at most group_limit jobs of a group run when this one starts.

alter table codeteam.jobs
  add column group_key   text     check (group_key ~ '\S' and octet_length(group_key) <= 500),
  add column group_limit smallint not null default 1 check (group_limit between 1 and 1000);
create index jobs_group on codeteam.jobs (group_key, state, waits_for)
  where group_key is not null and state in ('queued', 'running');

-- Its successor takes more parameters.
drop function if exists codeteam.submit_job(
  text, text, text, text, text, text, text, integer, bigint, bigint, bigint, smallint, timestamptz, text, uuid);
