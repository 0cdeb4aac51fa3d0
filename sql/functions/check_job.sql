-- What a job may hold, checked once, where it comes in or is changed: PostgreSQL reads every CHECK of a table anew in each statement
-- that writes to it, so two dozen of them made up half of what a claim cost. The table keeps those that hold states together.
-- The domain crate has the same bounds; a test compares them. Internal.
-- QJ007 invalid: says what to give instead.
create or replace function codeteam.check_job(job codeteam.jobs) returns void
language plpgsql immutable as $$
declare
  wrong text := case
    when job.mode not in ('mechanic', 'genius')
      then format('%L is no mode: use mechanic or genius', left(job.mode, 100))
    when job.task not in ('bug_fix', 'refactor', 'analysis', 'review', 'feature', 'complex_refactor', 'security_fix', 'architecture')
      then format('%L is no task: use bug_fix, refactor, analysis, review, feature, complex_refactor, security_fix or architecture',
                  left(job.task, 100))
    when job.repo !~ '\S' or octet_length(job.repo) > 2000 or job.repo like '-%'
      then 'the repository cannot be that: give a path or a URL that git clones, in 1 to 2000 bytes, not starting with -'
    when job.base !~ '\S' or octet_length(job.base) > 250 or job.base like '-%'
      then 'the base cannot be that: name a branch, tag or commit in 1 to 250 bytes, not starting with -, or leave it null'
    when job.prompt !~ '\S' or octet_length(job.prompt) > 100000
      then 'the prompt cannot be that: say what to do, in 1 to 100000 bytes; put long material into the repository'
    when job.test_command !~ '\S' or octet_length(job.test_command) > 10000
      then 'the test_command cannot be that: give a shell command of 1 to 10000 bytes, or leave it null'
    when job.model !~ '\S' or octet_length(job.model) > 200
      then 'the model cannot be that: name one in 1 to 200 bytes, or leave it null'
    when job.step_cap not between 1 and 10000
      then format('the step_cap cannot be %s: give 1 to 10000, or leave it null', job.step_cap)
    when job.token_cap not between 1 and 100000000
      then format('the token_cap cannot be %s: give 1 to 100000000, or leave it null', job.token_cap)
    when job.time_limit_ms not between 1000 and 86400000
      then format('the time_limit_ms cannot be %s: give 1000 to 86400000, or leave it null', job.time_limit_ms)
    when job.cost_cap_micros < 1
      then format('the cost_cap_micros cannot be %s: give 1 or more, or leave it null', job.cost_cap_micros)
    when job.priority not between 0 and 9
      then format('the priority cannot be %s: give 0 to 9, the highest goes first', job.priority)
    when job.run_at not between '2000-01-01 00:00Z' and '9000-01-01 00:00Z' -- a time that every client can read
      then format('the run_at cannot be %s: give a time from the year 2000 to 9000', job.run_at)
    when job.max_attempts not between 1 and 100
      then format('the max_attempts cannot be %s: give 1 to 100', job.max_attempts)
    when job.dedupe_key !~ '\S' or octet_length(job.dedupe_key) > 500
      then 'the dedupe_key cannot be that: name the piece of work in 1 to 500 bytes, or leave it null'
    when job.group_key !~ '\S' or octet_length(job.group_key) > 500
      then 'the group_key cannot be that: name what must not run at once in 1 to 500 bytes, or leave it null'
    when job.group_limit not between 1 and 1000
      then format('the group_limit cannot be %s: give 1 to 1000', job.group_limit)
  end;
begin
  if wrong is not null then
    raise exception '%', wrong using errcode = 'QJ007';
  end if;
end
$$;
