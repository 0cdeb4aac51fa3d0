-- Enqueues one job and gives its id, for a person with psql. A plain INSERT does the same; this one picks the mode by the task when
-- none is given, and gives the id of the job that is there already by id or dedupe_key.
drop function if exists codeteam.submit_job(text, text, text, text, text, text, text, integer, bigint, bigint, bigint, smallint, timestamptz, text, uuid, text,
  smallint, uuid[]);
create or replace function codeteam.submit_job(
  task text, repo text, prompt text,
  mode text default null, base text default null, test_command text default null, model text default null,
  step_cap integer default null, token_cap bigint default null, time_limit_ms bigint default null,
  cost_cap_micros bigint default null, priority smallint default null, run_at timestamptz default null,
  dedupe_key text default null, id uuid default null, group_key text default null, group_limit smallint default null,
  after uuid[] default null, head text default null, setup_command text default null, delivery text default null
) returns uuid
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select submit_jobs(jsonb_build_array(jsonb_build_object(
    'id', id, 'mode', mode, 'task', task, 'repo', repo, 'base', base, 'prompt', prompt, 'test_command', test_command,
    'model', model, 'step_cap', step_cap, 'token_cap', token_cap, 'time_limit_ms', time_limit_ms,
    'cost_cap_micros', cost_cap_micros, 'priority', priority, 'run_at', run_at, 'dedupe_key', dedupe_key,
    'group_key', group_key, 'group_limit', group_limit, 'after', after,
    'head', head, 'setup_command', setup_command, 'delivery', delivery)))
$$;
