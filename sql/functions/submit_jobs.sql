-- Enqueues any number of jobs in one statement and gives their ids, in the order of the array. Each is an object with task, repo and
-- prompt, and what else it wants to say: the parameters of submit_job(). A job that is there already, by its id or by the
-- dedupe_key of an open job, is not made again: its id comes back. So a call whose answer was lost may be said again.
-- QJ007 invalid_jobs: not an array of objects, or a key that no job has.
create or replace function codeteam.submit_jobs(jobs jsonb) returns setof uuid
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  known   constant text[] := array['id', 'mode', 'task', 'repo', 'base', 'prompt', 'test_command', 'model', 'step_cap', 'token_cap',
    'time_limit_ms', 'cost_cap_micros', 'priority', 'run_at', 'dedupe_key'];
  strange text;
  asked   jsonb; -- each with an id
  ids     uuid[];
begin
  if jsonb_typeof(jobs) is distinct from 'array'
     or exists (select from jsonb_array_elements(jobs) e where jsonb_typeof(e) <> 'object') then
    raise exception 'jobs is no array of objects' using errcode = 'QJ007', hint = 'write [{"task": ..., "repo": ..., "prompt": ...}]';
  end if;
  select k into strange from jsonb_array_elements(jobs) e, jsonb_object_keys(e) k where not k = any (known) limit 1;
  if found then
    raise exception 'a job has no %', strange using errcode = 'QJ007', hint = 'use ' || array_to_string(known, ', ');
  end if;
  select jsonb_agg(e || jsonb_build_object('id', coalesce(nullif(e -> 'id', 'null'), to_jsonb(gen_random_uuid()))) order by n)
  into asked from jsonb_array_elements(jobs) with ordinality as x (e, n);
  loop
    insert into jobs (id, mode, task, repo, base, prompt, test_command, model, step_cap, token_cap, time_limit_ms, cost_cap_micros,
                      priority, run_at, dedupe_key)
    select a.id,
           coalesce(a.mode, case when a.task in ('bug_fix', 'refactor', 'analysis', 'review') then 'mechanic' else 'genius' end),
           a.task, a.repo, a.base, a.prompt, a.test_command, a.model, a.step_cap, a.token_cap, a.time_limit_ms,
           a.cost_cap_micros, coalesce(a.priority, 0), coalesce(a.run_at, now()), a.dedupe_key
    from jsonb_to_recordset(asked) as a (
      id uuid, mode text, task text, repo text, base text, prompt text, test_command text, model text, step_cap integer,
      token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, priority smallint, run_at timestamptz, dedupe_key text)
    on conflict do nothing;
    -- A statement of its own: what others committed while the insert waited for them is visible only now.
    select array_agg(coalesce(
      (select j.id from codeteam.jobs j where j.id = a.id),
      (select j.id from codeteam.jobs j where j.dedupe_key = a.dedupe_key and j.state in ('queued', 'running'))) order by n)
    into ids
    from (select (e ->> 'id')::uuid as id, e ->> 'dedupe_key' as dedupe_key, n
          from jsonb_array_elements(asked) with ordinality as x (e, n)) a;
    -- Null: the open job that was in the way has just ended. Then this one's turn has come.
    exit when array_position(ids, null) is null;
  end loop;
  return query select unnest(ids);
end
$$;
