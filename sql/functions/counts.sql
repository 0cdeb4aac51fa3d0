-- How many jobs there are, one row for each mode and state. Each is counted up to `most` (at most a million), which costs as much
-- with a million jobs as with that many. Finished jobs leave in the end: swept says how many have, exactly.
--   jobs   that are there, `most` if there are more
--   more   whether there are
--   swept  that were deleted when they were old: see sweep_history()
create or replace function codeteam.counts(most integer default 10000)
returns table (mode text, state text, jobs bigint, more boolean, swept bigint)
language sql stable security definer set search_path = codeteam, pg_temp
set enable_seqscan = off set enable_bitmapscan = off as $$ -- from the index alone, not from whatever part of the table comes first
  select check_most(most);
  select m.mode, s.state, least(c.jobs, b.most), c.jobs > b.most,
         coalesce((select sum(d.jobs) from swept_days d where d.mode = m.mode and d.state = s.state), 0)::bigint
  from (select least(greatest(counts.most, 1), 1000000)) as b (most)
  cross join unnest(array['mechanic', 'genius']) as m (mode)
  cross join unnest(array['queued', 'running', 'succeeded', 'failed', 'cancelled', 'dead']) as s (state)
  cross join lateral (
    select count(*) from (select from jobs j where j.state = s.state and j.mode = m.mode limit b.most + 1) j
  ) as c (jobs)
$$;
