-- Raises unless these are jobs as submit_jobs() takes them, each value of its JSON type: what a cast would bend into shape, such as
-- an object for a text, is refused. Internal.
-- QJ007: says which job of the array, counted from 1, and what to give.
create or replace function codeteam.check_jobs(jobs jsonb) returns void
language plpgsql immutable as $$
declare
  texts   constant text[] := array['id', 'mode', 'task', 'repo', 'base', 'head', 'prompt', 'setup_command', 'test_command', 'delivery', 'model',
    'run_at', 'dedupe_key', 'group_key'];
  numbers constant text[] := array['step_cap', 'token_cap', 'time_limit_ms', 'cost_cap_micros', 'priority', 'group_limit'];
  wrong   record;
begin
  if jsonb_typeof(jobs) is distinct from 'array'
     or exists (select from jsonb_array_elements(jobs) e where jsonb_typeof(e) <> 'object') then
    raise exception 'jobs is no array of objects: write [{"task": ..., "repo": ..., "prompt": ...}]' using errcode = 'QJ007';
  end if;
  select x.n, k.key, k.value into wrong
  from jsonb_array_elements(jobs) with ordinality as x (job, n) cross join jsonb_each(x.job) as k
  where case when jsonb_typeof(k.value) = 'null' then k.key <> 'after' and k.key <> all (texts) and k.key <> all (numbers)
             when k.key = any (texts) then jsonb_typeof(k.value) <> 'string'
             when k.key = any (numbers) then jsonb_typeof(k.value) <> 'number' or k.value::text like '%.%'
             when k.key = 'after' then jsonb_typeof(k.value) <> 'array'
             else true end
  limit 1;
  if not found then
    return;
  elsif wrong.key <> 'after' and wrong.key <> all (texts) and wrong.key <> all (numbers) then
    raise exception 'a job has no %: use %', left(wrong.key, 100), array_to_string(texts || numbers || 'after'::text, ', ')
      using errcode = 'QJ007';
  end if;
  raise exception '% of job % cannot be %: give %', wrong.key, wrong.n, left(wrong.value::text, 100), case
    when wrong.key = any (texts) then 'a text'
    when wrong.key = any (numbers) then 'a whole number'
    else 'an array of ids' end using errcode = 'QJ007';
end
$$;
