-- Deletes what finished longer than `keep` ago, oldest first: jobs with their events, at most `most` jobs and about `most_events`
-- events a call (a job leaves whole, or not yet), and as many old decisions of the scaler. Dead jobs that nobody has acknowledged
-- stay, and so does the ledger. What has left is counted in swept_days. Rows that somebody works with are passed over.
--   jobs, events  that were deleted
--   more          whether there may be more to delete now
--   next_due_ms   milliseconds until the next job will be due; null: none is in sight
create or replace function codeteam.sweep_history(keep interval, most integer default 100, most_events integer default 5000)
returns table (jobs bigint, events bigint, more boolean, next_due_ms bigint)
language plpgsql volatile security definer set search_path = codeteam, pg_temp
set enable_seqscan = off set enable_bitmapscan = off as $$ -- the index has the order, whatever the planner thinks of the table
#variable_conflict use_column
declare
  due     timestamptz;
  found   uuid[]; -- locked
  leaving uuid[];
  old     integer;
  others  integer;
begin
  perform demand((keep between interval '0' and interval '100 years') and most >= 1 and most_events >= 1, 'a sweep',
    format('of %s jobs and %s events older than %s', most, most_events, keep), 'give an interval of up to 100 years and numbers from 1');
  due := now() - keep;
  select array_agg(o.id order by o.finished_at, o.id) into found from (
    select j.id, j.finished_at from jobs j
    where j.finished_at < due and j.finished_at is not null and (j.state <> 'dead' or j.acknowledged_at is not null)
    order by j.finished_at limit most for update skip locked
  ) o;
  -- A statement of its own: it sees what was written before the rows were locked. A journal has no gaps, so that its last seq is its length.
  select array_agg(s.id), coalesce(sum(s.length), 0) into leaving, sweep_history.events from (
    select f.id, l.length, sum(l.length) over (order by f.n) as length_so_far, f.n
    from unnest(found) with ordinality as f (id, n)
    cross join lateral (select coalesce(max(e.seq), 0) as length from events e where e.job_id = f.id) l
  ) s
  where s.n = 1 or s.length_so_far <= most_events;

  with gone as (
    delete from jobs j where j.id = any (leaving) returning j.mode, j.state, (j.finished_at at time zone 'UTC')::date as day
  ), counted as (
    insert into swept_days as s (day, mode, state, jobs)
    select g.day, g.mode, g.state, count(*) from gone g group by g.day, g.mode, g.state order by g.mode, g.state, g.day
    on conflict on constraint swept_days_pkey do update set jobs = s.jobs + excluded.jobs
  )
  select count(*) into sweep_history.jobs from gone;

  delete from scale_decisions d
  where d.id = any (array(select o.id from scale_decisions o where o.at < due order by o.at limit most for update skip locked));
  get diagnostics old = row_count;
  delete from fleet_events v
  where v.id = any (array(select o.id from fleet_events o where o.at < due order by o.at limit most for update skip locked));
  get diagnostics others = row_count;
  old := greatest(old, others);
  -- What nobody has published by now no metrics service would take any more.
  delete from measurements m
  where m.ctid = any (array(select o.ctid from measurements o where o.at < now() - interval '14 days' limit most_events));
  get diagnostics others = row_count;

  more := coalesce(cardinality(found) >= most or cardinality(leaving) < cardinality(found), false) or old >= most or others >= most_events;
  select greatest(ceil(extract(epoch from j.finished_at + keep - clock_timestamp()) * 1000), 0) into sweep_history.next_due_ms
  from jobs j
  where j.finished_at is not null and (j.state <> 'dead' or j.acknowledged_at is not null)
  order by j.finished_at limit 1;
  return next;
end
$$;
