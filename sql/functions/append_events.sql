-- Adds events to the journal of a job that this worker holds; kinds and data in parallel. Gives the last seq.
-- after_seq is the last seq that the caller knows of. If this attempt has written events after it, then these are the
-- same events, whose acknowledgement was lost with a connection: nothing is written twice.
create or replace function codeteam.append_events(
  job uuid, attempt integer, worker uuid, after_seq bigint, kinds text[], data jsonb[]
) returns bigint
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  last bigint;
begin
  perform check_events(after_seq, kinds, data);
  perform hold(job, attempt, worker);
  select coalesce(max(e.seq), 0) into last from events e where e.job_id = append_events.job;
  if exists (select from events e where e.job_id = append_events.job and e.seq > after_seq and e.attempt = append_events.attempt) then
    return last;
  end if;
  insert into events (job_id, seq, attempt, kind, data)
  select append_events.job, last + e.n, append_events.attempt, e.kind, e.data
  from unnest(append_events.kinds, append_events.data) with ordinality as e (kind, data, n);
  perform ring(array['events']);
  return last + cardinality(kinds);
end
$$;
