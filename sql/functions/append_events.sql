-- Adds events to a job's journal after `after_seq`; kinds and data in parallel. Gives the last seq. Nothing is written if this attempt
-- has written events after that already: they are these. Internal: the caller holds the job, and has checked the events.
create or replace function codeteam.write_events(job uuid, attempt integer, after_seq bigint, kinds text[], data jsonb[]) returns bigint
language plpgsql volatile as $$
declare
  last bigint;
begin
  select coalesce(max(e.seq), 0) into last from events e where e.job_id = write_events.job;
  if exists (select from events e where e.job_id = write_events.job and e.seq > after_seq and e.attempt = write_events.attempt) then
    return last;
  end if;
  insert into events (job_id, seq, attempt, kind, data)
  select write_events.job, last + e.n, write_events.attempt, e.kind, e.data
  from unnest(write_events.kinds, write_events.data) with ordinality as e (kind, data, n);
  return last + cardinality(kinds);
end
$$;

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
  last := write_events(job, attempt, after_seq, kinds, data);
  perform ring(array['events']);
  return last;
end
$$;
