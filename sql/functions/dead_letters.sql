-- The dead letters: jobs that ended in failed or dead and that nobody has acknowledged. `selection` is an object that narrows them
-- down, and {} means all:
--   state, mode, repo, task, exit_reason, fingerprint   the column's value
--   finished_after, finished_before                     times: after the one, before the other
--   ids                                                 an array of jobs
-- A key that is null says nothing. Internal, and part of its callers' statements, so that they use the indexes; they check first.
create or replace function codeteam.dead_letters(selection jsonb) returns setof codeteam.jobs
language sql stable as $$
  select j.* from jobs j
  where j.state in ('failed', 'dead') and j.acknowledged_at is null
    and (selection ->> 'state' is null or j.state = selection ->> 'state')
    and (selection ->> 'mode' is null or j.mode = selection ->> 'mode')
    and (selection ->> 'repo' is null or j.repo = selection ->> 'repo')
    and (selection ->> 'task' is null or j.task = selection ->> 'task')
    and (selection ->> 'exit_reason' is null or j.exit_reason = selection ->> 'exit_reason')
    and (selection ->> 'fingerprint' is null or j.fingerprint = selection ->> 'fingerprint')
    and (selection ->> 'finished_after' is null or j.finished_at > (selection ->> 'finished_after')::timestamptz)
    and (selection ->> 'finished_before' is null or j.finished_at < (selection ->> 'finished_before')::timestamptz)
    and (selection ->> 'ids' is null or j.id = any (array(select i::uuid from jsonb_array_elements_text(selection -> 'ids') i)))
$$;

-- Raises unless dead_letters() can read the selection. Internal.
-- QJ007: a key that it has not, or a value that it cannot read.
create or replace function codeteam.check_selection(selection jsonb) returns void
language plpgsql stable as $$
declare
  said text;
begin
  perform check_keys(selection, array['state', 'mode', 'repo', 'task', 'exit_reason', 'fingerprint', 'finished_after',
    'finished_before', 'ids'], 'a selection of dead letters');
  if selection ->> 'state' not in ('failed', 'dead') then
    raise exception 'a dead letter is never %: select failed or dead', selection ->> 'state' using errcode = 'QJ007';
  elsif jsonb_typeof(selection -> 'ids') not in ('array', 'null') then
    raise exception 'ids is no array: write ["ID", ...]' using errcode = 'QJ007';
  end if;
  perform (selection ->> 'finished_after')::timestamptz, (selection ->> 'finished_before')::timestamptz,
          (select count(i::uuid) from jsonb_array_elements_text(nullif(selection -> 'ids', 'null')) i);
exception
  when data_exception then
    get stacked diagnostics said = message_text;
    raise exception 'the selection cannot be read: %: write times as 2030-01-31T08:00:00Z and ids in full', said
      using errcode = 'QJ007';
end
$$;
