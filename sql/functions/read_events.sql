-- A job's events after `after_seq`, in order, at most `most` of them. Their seq has no gaps, and a later one never becomes
-- visible before an earlier one, so that a reader only has to remember the last seq that it saw.
create or replace function codeteam.read_events(job uuid, after_seq bigint, most integer)
returns table (seq bigint, attempt integer, at timestamptz, kind text, data jsonb)
language sql stable security definer set search_path = codeteam, pg_temp as $$
  select demand(job is not null, 'job', null, 'name the job whose events are read'),
         demand(after_seq >= 0, 'after_seq', after_seq::text, 'give the last seq that you have seen, or 0'), check_most(most);
  select e.seq, e.attempt, e.at, e.kind, e.data from events e
  where e.job_id = read_events.job and e.seq > after_seq
  order by e.seq limit most
$$;
