-- The scaler changed its mind, `ago_ms` milliseconds before it said so, and why. A fleet that is woken from nothing is a wake: the job
-- at the head of its line is remembered, so that it can be said how long that waited for what. Gives the decision's id.
drop function if exists codeteam.record_decision(text, integer, integer, text, jsonb);
create or replace function codeteam.record_decision(
  service text, previous integer, target integer, reason text, observation jsonb, ago_ms bigint default 0
) returns bigint
language plpgsql volatile security definer set search_path = codeteam, pg_temp
set enable_sort = off set enable_bitmapscan = off as $$ -- one job is looked for, in an order that an index has
declare
  first_job   uuid;
  first_ready timestamptz;
  made        bigint;
begin
  perform demand(num_nulls(service, reason, observation) = 0, 'a decision', 'without service, reason or observation', 'say all three'),
          demand(previous >= 0 and target >= 0 and ago_ms between 0 and 86400000, 'a decision', format('from %s to %s, %s ms ago', previous, target, ago_ms),
                 'give numbers from 0, and at most a day');
  if previous = 0 and target > 0 then
    select h.id, h.run_at into first_job, first_ready
    from (select * from line_beginnings l where l.mode = split_part(service, '-', 1) order by l.priority desc offset 0) l
    cross join lateral ( -- as take_jobs() walks the line
      select j.id, j.run_at from jobs j
      where j.state = 'queued' and j.waits_for is null and line_of(j.mode, j.priority) = line_of(l.mode, l.priority) and j.turn >= l.starts_at
      order by j.turn limit 1
    ) h
    limit 1;
    if not found then -- one that has become due gets into line by the next claim
      select j.id, j.run_at into first_job, first_ready from jobs j
      where j.mode = split_part(service, '-', 1) and j.waits_for = 'time' and j.run_at <= now() order by j.run_at limit 1;
    end if;
  end if;
  insert into scale_decisions (at, service, previous, target, reason, observation, job_id, queued_at)
  values (statement_timestamp() - make_interval(secs => ago_ms / 1000.0), service, previous, target, reason, observation, first_job, first_ready)
  returning id into made;
  return made;
end
$$;

-- Whoever starts workers has taken a decision's target, `ago_ms` milliseconds before it said so: not before the decision, though
-- the two take their ways here at different speeds.
create or replace function codeteam.decision_called(decision bigint, ago_ms bigint) returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select demand(decision is not null and ago_ms between 0 and 86400000, 'a call', format('for %s, %s ms ago', decision, ago_ms), 'give a decision and a number from 0 to 86400000');
  update scale_decisions d set called_at = greatest(d.at, statement_timestamp() - make_interval(secs => ago_ms / 1000.0))
  where d.id = decision and d.called_at is null
$$;

-- Writes down how far the open wakes have come; gives how many are still open. One that nobody claimed within an hour is left. Internal.
create or replace function codeteam.follow_wakes() returns integer
language plpgsql volatile as $$
declare
  open integer;
begin
  with open_ones as (
    select d.id, (select min(w.started_at) from workers w where w.mode = split_part(d.service, '-', 1) and w.started_at >= d.at) as heard,
           (select min(e.at) from events e where e.job_id = d.job_id and e.kind = 'claimed' and e.at >= d.queued_at) as claimed
    from scale_decisions d
    where d.queued_at is not null and d.claimed_at is null and d.at > clock_timestamp() - interval '1 hour'
  ), come as (
    update scale_decisions d
    set first_heartbeat_at = coalesce(d.first_heartbeat_at, o.heard), claimed_at = o.claimed
    from open_ones o
    where d.id = o.id and (o.claimed is not null or d.first_heartbeat_at is null and o.heard is not null)
    returning d.service, d.queued_at, d.claimed_at
  ), told as (
    insert into measurements (mode, what, value)
    select split_part(c.service, '-', 1), 'wake', greatest(extract(epoch from c.claimed_at - c.queued_at) * 1000, 0)::bigint
    from come c where c.claimed_at is not null
  )
  select count(*) into open
  from open_ones o join scale_decisions d on d.id = o.id
  where o.claimed is null and exists (select from jobs j where j.id = d.job_id and j.state = 'queued');
  return open;
end
$$;
