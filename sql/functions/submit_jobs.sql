-- Enqueues any number of jobs in one statement and gives their ids, in the order of the array. Each is an object with task, repo and
-- prompt, and what else it wants to say: the parameters of submit_job(). A job that is there already, by its id or by the
-- dedupe_key of an open job, is not made again: its id comes back. So a call whose answer was lost may be said again.
-- A job may come after others of the same array, in any order, when they are given ids.
-- QJ007 invalid: not an array of objects, a key that no job has, or a value that a job cannot have. QJ011 invalid_after: see after_arrive.sql.
create or replace function codeteam.submit_jobs(jobs jsonb) returns setof uuid
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  asked jsonb; -- each with an id
  ids   uuid[];
  field text;
  said  text;
  place bigint; -- in the array, of the job that cannot be
begin
  perform check_jobs(jobs);
  select jsonb_agg(e || jsonb_build_object('id', coalesce(nullif(e -> 'id', 'null'), to_jsonb(gen_random_uuid()))) order by n)
  into asked from jsonb_array_elements(jobs) with ordinality as x (e, n);
  loop
    begin
      insert into jobs (id, mode, task, repo, base, head, prompt, setup_command, test_command, delivery, model,
                        step_cap, token_cap, time_limit_ms, cost_cap_micros, priority, run_at, dedupe_key, group_key, group_limit, after)
      select a.id,
             coalesce(a.mode, case when a.task in ('bug_fix', 'refactor', 'analysis', 'review') then 'mechanic' else 'genius' end),
             a.task, a.repo, a.base, a.head, a.prompt, a.setup_command, a.test_command, a.delivery, a.model, a.step_cap, a.token_cap, a.time_limit_ms,
             a.cost_cap_micros, coalesce(a.priority, 0), coalesce(a.run_at, now()), a.dedupe_key,
             a.group_key, coalesce(a.group_limit, 1), a.after
      from jsonb_to_recordset(asked) as a (
        id uuid, mode text, task text, repo text, base text, head text, prompt text, setup_command text, test_command text, delivery text, model text,
        step_cap integer, token_cap bigint, time_limit_ms bigint, cost_cap_micros bigint, priority smallint, run_at timestamptz, dedupe_key text,
        group_key text, group_limit smallint, after uuid[])
      on conflict do nothing;
    exception when data_exception or not_null_violation then
      get stacked diagnostics field = column_name, said = message_text;
      perform refuse_job(field, said);
    when sqlstate 'QJ007' then
      get stacked diagnostics said = message_text;
      select n into place from jsonb_array_elements(asked) with ordinality as x (e, n)
      where jsonb_array_length(asked) > 1 and wrong_with(jsonb_populate_record(null::jobs, e)) is not null limit 1;
      raise exception '%', coalesce('job ' || place || ': ', '') || said using errcode = 'QJ007';
    end;
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
