-- What a job may hold, checked once, where it comes in or is changed: PostgreSQL reads every CHECK of a table anew in each statement
-- that writes to it, so two dozen of them made up half of what a claim cost. The domain crate has the same bounds; a test compares them.
-- Gives what is wrong, in words that say what to give instead; null: nothing. Internal.
-- One question after the other, because PL/pgSQL prepares an expression anew in each transaction that comes to it, and those about what
-- is mostly null only when something is given.
create or replace function codeteam.wrong_with(job codeteam.jobs) returns text
language plpgsql immutable as $$
begin
  if job.mode not in ('mechanic', 'genius') then
    return format('%L is no mode: use mechanic or genius', left(job.mode, 100));
  elsif job.task not in ('bug_fix', 'refactor', 'analysis', 'review', 'feature', 'complex_refactor', 'security_fix', 'architecture') then
    return format('%L is no task: use bug_fix, refactor, analysis, review, feature, complex_refactor, security_fix or architecture',
      left(job.task, 100));
  elsif job.repo !~ '\S' or octet_length(job.repo) > 2000 or job.repo like '-%' then
    return 'the repository cannot be that: give a path or a URL that git clones, in 1 to 2000 bytes, not starting with -';
  elsif job.prompt !~ '\S' or octet_length(job.prompt) > 100000 then
    return 'the prompt cannot be that: say what to do, in 1 to 100000 bytes; put long material into the repository';
  elsif job.priority not between 0 and 9 then
    return format('the priority cannot be %s: give 0 to 9, the highest goes first', job.priority);
  elsif job.run_at not between '2000-01-01 00:00Z' and '9000-01-01 00:00Z' then -- a time that every client can read
    return format('the run_at cannot be %s: give a time from the year 2000 to 9000', job.run_at);
  elsif job.max_attempts not between 1 and 100 then
    return format('the max_attempts cannot be %s: give 1 to 100', job.max_attempts);
  elsif job.group_limit not between 1 and 1000 then
    return format('the group_limit cannot be %s: give 1 to 1000', job.group_limit);
  end if;
  if num_nonnulls(job.base, job.head, job.setup_command, job.test_command, job.delivery, job.model, job.step_cap, job.token_cap, job.time_limit_ms,
                  job.cost_cap_micros, job.dedupe_key, job.group_key) = 0 then
    return null;
  end if;
  if job.base !~ '\S' or octet_length(job.base) > 250 or job.base like '-%' then
    return 'the base cannot be that: name a branch, tag or commit in 1 to 250 bytes, not starting with -, or leave it null';
  elsif job.head !~ '\S' or octet_length(job.head) > 250 or job.head like '-%' then
    return 'the head cannot be that: name a branch, tag, commit or pull/N in 1 to 250 bytes, not starting with -, or leave it null';
  elsif job.head is not null and job.task <> 'review' then
    return format('a %s has no head: it is what a review looks at; name what to start from as base', job.task);
  elsif job.setup_command !~ '\S' or octet_length(job.setup_command) > 10000 then
    return 'the setup_command cannot be that: give a shell command of 1 to 10000 bytes, or leave it null';
  elsif job.delivery not in ('patch', 'branch', 'pull_request') then
    return format('%L is no delivery: use patch, branch or pull_request, or leave it null', left(job.delivery, 100));
  elsif job.test_command !~ '\S' or octet_length(job.test_command) > 10000 then
    return 'the test_command cannot be that: give a shell command of 1 to 10000 bytes, or leave it null';
  elsif job.model !~ '\S' or octet_length(job.model) > 200 then
    return 'the model cannot be that: name one in 1 to 200 bytes, or leave it null';
  elsif job.step_cap not between 1 and 10000 then
    return format('the step_cap cannot be %s: give 1 to 10000, or leave it null', job.step_cap);
  elsif job.token_cap not between 1 and 100000000 then
    return format('the token_cap cannot be %s: give 1 to 100000000, or leave it null', job.token_cap);
  elsif job.time_limit_ms not between 1000 and 86400000 then
    return format('the time_limit_ms cannot be %s: give 1000 to 86400000, or leave it null', job.time_limit_ms);
  elsif job.cost_cap_micros < 1 then
    return format('the cost_cap_micros cannot be %s: give 1 or more, or leave it null', job.cost_cap_micros);
  elsif job.dedupe_key !~ '\S' or octet_length(job.dedupe_key) > 500 then
    return 'the dedupe_key cannot be that: name the piece of work in 1 to 500 bytes, or leave it null';
  elsif job.group_key !~ '\S' or octet_length(job.group_key) > 500 then
    return 'the group_key cannot be that: name what must not run at once in 1 to 500 bytes, or leave it null';
  end if;
  return null;
end
$$;

-- Raises if anything is. QJ007 invalid.
create or replace function codeteam.check_job(job codeteam.jobs) returns void
language plpgsql immutable as $$
declare
  wrong text := wrong_with(job);
begin
  if wrong is not null then
    raise exception '%', wrong using errcode = 'QJ007';
  end if;
end
$$;
