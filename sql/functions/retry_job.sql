-- Puts a failed, cancelled or dead job back into the queue for a fresh start: with full caps, from the same commit. `changes` is an
-- object of what is to be changed before: prompt, model, setup_command, test_command, delivery, step_cap, token_cap, time_limit_ms, cost_cap_micros,
-- priority; null sets the worker's default.
-- QJ003 unknown_job; QJ002 wrong_state: it is still open, or it succeeded; QJ007: a change that cannot be made; QJ008 duplicate: a job
-- that is open has its dedupe_key.
create or replace function codeteam.retry_job(job uuid, changes jsonb default '{}') returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  held  jobs := lock_job(job);
  twin  uuid := open_twin(held);
  said text;
begin
  if held.state not in ('failed', 'cancelled', 'dead') then
    raise exception 'job % is %: only a failed, cancelled or dead job can be retried', job, held.state using errcode = 'QJ002';
  elsif twin is not null then
    raise exception 'job % is open and has the same dedupe_key (%): wait for its end or cancel it, then retry this one',
      twin, held.dedupe_key using errcode = 'QJ008';
  end if;
  perform check_changes(changes);
  begin
    perform revive(job, changes);
  exception when unique_violation or data_exception then
    get stacked diagnostics said = message_text;
    perform revival_refused(sqlstate, said);
  end;
  perform ring(array[held.mode, 'scaler']);
end
$$;
