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
          demand(previous >= 0 and target >= 0 and ago_ms >= 0, 'a decision', format('from %s to %s, %s ms ago', previous, target, ago_ms),
                 'give numbers from 0');
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
  select demand(decision is not null and ago_ms >= 0, 'a call', format('for %s, %s ms ago', decision, ago_ms), 'give a decision and a number from 0');
  update scale_decisions d set called_at = greatest(d.at, statement_timestamp() - make_interval(secs => ago_ms / 1000.0))
  where d.id = decision and d.called_at is null
$$;
