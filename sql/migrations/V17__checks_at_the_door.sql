-- What a job may hold is checked where it comes in (sql/functions/check_job.sql), in words that say what to do, and not again at
-- each of its later steps: PostgreSQL reads every CHECK of a table anew in each statement that writes to it, which made up half of
-- what a claim cost.

do $$
declare
  gone text;
begin
  foreach gone in array array['mode', 'task', 'repo', 'base', 'prompt', 'test_command', 'model', 'step_cap', 'token_cap', 'time_limit_ms',
    'cost_cap_micros', 'run_at', 'max_attempts', 'dedupe_key', 'priority', 'group_key', 'group_limit', 'fingerprint', 'acknowledged_by',
    'waits_for', 'outcome', 'exit_reason', 'state'] loop
    execute format('alter table codeteam.jobs drop constraint if exists %I', 'jobs_' || gone || '_check');
  end loop;
end
$$;

-- Its successor gives a column less, which nobody reads any more.
drop function if exists codeteam.look(text, uuid, bigint);
