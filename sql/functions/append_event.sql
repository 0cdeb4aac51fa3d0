-- Adds one event to a job's journal. Internal: the caller holds the job's row lock, which makes seq gapless.
create or replace function codeteam.append_event(job uuid, attempt integer, kind text, data jsonb) returns bigint
language plpgsql volatile as $$
declare
  new_seq bigint;
begin
  insert into events (job_id, seq, attempt, kind, data)
  select append_event.job, coalesce(max(e.seq), 0) + 1, append_event.attempt, append_event.kind, append_event.data
  from events e where e.job_id = append_event.job
  returning seq into new_seq;
  perform ring(array['events']);
  return new_seq;
end
$$;
