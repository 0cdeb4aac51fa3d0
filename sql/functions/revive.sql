-- Puts a job that ended back into line for a fresh start: with full caps, from the same commit, with a new conversation and with
-- `changes` made. Internal: the caller holds the row, has checked the changes' keys, and rings.
create or replace function codeteam.revive(job uuid, changes jsonb) returns void
language plpgsql volatile as $$
begin
  update jobs j
  set prompt = case when changes ? 'prompt' then changes ->> 'prompt' else j.prompt end,
      model = case when changes ? 'model' then changes ->> 'model' else j.model end,
      setup_command = case when changes ? 'setup_command' then changes ->> 'setup_command' else j.setup_command end,
      delivery = case when changes ? 'delivery' then changes ->> 'delivery' else j.delivery end,
      test_command = case when changes ? 'test_command' then changes ->> 'test_command' else j.test_command end,
      step_cap = case when changes ? 'step_cap' then (changes ->> 'step_cap')::integer else j.step_cap end,
      token_cap = case when changes ? 'token_cap' then (changes ->> 'token_cap')::bigint else j.token_cap end,
      time_limit_ms = case when changes ? 'time_limit_ms' then (changes ->> 'time_limit_ms')::bigint else j.time_limit_ms end,
      cost_cap_micros = case when changes ? 'cost_cap_micros' then (changes ->> 'cost_cap_micros')::bigint else j.cost_cap_micros end,
      priority = case when changes ? 'priority' then coalesce((changes ->> 'priority')::smallint, 0) else j.priority end,
      fresh_after = j.attempt, failures = 0, deaths = 0, cancel_requested = false, outcome = null, exit_reason = null, error = null,
      fingerprint = null, acknowledged_at = null, acknowledged_by = null,
      finished_at = null, state = 'queued', run_at = clock_timestamp()
  where j.id = revive.job;
  perform check_job(j) from jobs j where j.id = revive.job;
  perform append_event(job, 0, 'retried', jsonb_build_object('changes', changes));
  if not await_again(job) then
    perform line_up(job);
  end if;
end
$$;

-- Raises unless the changes are an object of what can be changed, with texts and numbers where they belong. Internal.
create or replace function codeteam.check_changes(changes jsonb) returns void
language plpgsql immutable as $$
declare
  wrong record;
begin
  perform check_keys(changes, array['prompt', 'model', 'setup_command', 'test_command', 'delivery', 'step_cap', 'token_cap', 'time_limit_ms',
    'cost_cap_micros', 'priority'], 'what a retry changes');
  select key, value, case when key in ('prompt', 'model', 'setup_command', 'test_command', 'delivery') then 'text' else 'a whole number' end as wanted into wrong
  from jsonb_each(changes)
  where case when key = 'prompt' then jsonb_typeof(value) <> 'string'
             when key in ('model', 'setup_command', 'test_command', 'delivery') then jsonb_typeof(value) not in ('string', 'null')
             else jsonb_typeof(value) not in ('number', 'null') or value::text ~ '[.]' end
  limit 1;
  if found then
    raise exception '% cannot become %: give %', wrong.key, left(wrong.value::text, 100), wrong.wanted using errcode = 'QJ007';
  end if;
end
$$;

-- Raises what revive() was refused for, in words that say what to do. Internal.
--   QJ007: a value that its type does not hold; QJ008 duplicate: another job got the dedupe_key at this very moment.
create or replace function codeteam.revival_refused(state text, said text) returns void
language plpgsql stable as $$
begin
  if state = '23505' then
    raise exception 'another job of the same dedupe_key was opened at this very moment: wait for its end, then retry this one'
      using errcode = 'QJ008';
  end if;
  raise exception 'the changes cannot be made: %', said using errcode = 'QJ007';
end
$$;
