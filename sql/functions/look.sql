-- Is there something to do for those who sleep on this topic? All of it from one snapshot, whose bounds come with it.
--   ready        a job can be claimed now, or has become due, or its budget has opened, or an expired lease can be taken over; topic
--                'events': the job has events after after_seq
--   next_due_ms  milliseconds until that may become true without anybody ringing; null when nothing is due
-- For the scaler every mode counts, and running jobs too: it stays awake while anybody works.
create or replace function codeteam.look(topic text, job uuid default null, after_seq bigint default 0)
returns table (ready boolean, next_due_ms bigint, snapshot_xmin bigint)
language plpgsql stable security definer set search_path = codeteam, pg_temp
-- Plans: see ARCHITECTURE.md. Not in SQL, which would be planned anew in every call. One job is looked for, in an order that an index has.
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
begin
  perform check_topic(topic, gen_random_uuid(), job, after_seq);
  return query
  with modes as (
    select mode from unnest(case when look.topic = 'scaler' then array['mechanic', 'genius'] else array[look.topic] end) as mode
  ), at_work as (
    select mode from modes
    where mode <> all (array(select p.mode from pauses p)) and not exists (select from stops_in_force s where s.repo = '')
  ), leases as (
    select lease_ends(w) as ends from jobs j join workers w on w.id = j.worker_id join modes m on m.mode = j.mode
    where j.state = 'running'
  ), due as (
    select min(at) as at from (
      select (select j.run_at from jobs j where j.mode = m.mode and j.waits_for = 'time' order by j.run_at limit 1)
      from at_work m
      union all
      select s.opens_at from stops_in_force s where look.topic <> 'events'
      union all
      select ends from leases where ends > clock_timestamp()
    ) as coming (at)
  )
  select
    exists (select from at_work m, lateral (select from in_line i where i.mode = m.mode limit 1) first)
      or coalesce(due.at <= now(), false)
      or exists (select from at_work m, reopened(m.mode))
      or exists (select from leases where ends <= clock_timestamp() or look.topic = 'scaler')
      or (look.topic = 'events' and exists (select from events e where e.job_id = look.job and e.seq > look.after_seq)),
    ceil(extract(epoch from due.at - clock_timestamp()) * 1000)::bigint,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  from due;
end
$$;
