-- Enqueues one job and gives its id. A plain INSERT does the same; this one picks the mode by the task when none is given.
create or replace function codeteam.submit_job(
  task text, repo text, prompt text,
  mode text default null, base text default null, test_command text default null, model text default null,
  step_cap integer default null, token_cap bigint default null, time_limit_ms bigint default null,
  cost_cap_micros bigint default null, priority smallint default 0, run_at timestamptz default null
) returns uuid
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  insert into jobs (task, repo, prompt, mode, base, test_command, model, step_cap, token_cap, time_limit_ms,
                    cost_cap_micros, priority, run_at)
  values (task, repo, prompt,
          coalesce(mode, case when task in ('bug_fix', 'refactor', 'analysis', 'review') then 'mechanic' else 'genius' end),
          base, test_command, model, step_cap, token_cap, time_limit_ms, cost_cap_micros, priority, coalesce(run_at, now()))
  returning id
$$;
