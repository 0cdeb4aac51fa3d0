-- What the scaler does for jobs and workers while anybody is awake, in one call and only when observe() or an open wake gives reason to.

-- When a job that runs is stuck: after the SLA, or a minute after its own time limit if that is later. Internal.
create or replace function codeteam.stuck_at(j codeteam.jobs, sla_ms bigint) returns timestamptz
language sql stable as $$
  select j.started_at + pg_catalog.make_interval(secs => greatest(sla_ms, j.time_limit_ms + 60000) / 1000.0)
$$;

create or replace function codeteam.check_sla(sla_ms bigint) returns void
language plpgsql immutable as $$
begin
  perform demand(sla_ms between 1000 and 604800000, 'sla_ms', sla_ms::text, 'give milliseconds from 1000 to 604800000');
end
$$;

-- Takes back up to `most` jobs that are over their SLA, and those of silent workers; brings open wakes up to date.
--   requeued, dead  stuck jobs, by what became of them
--   lost            jobs that were taken back from silent workers
--   open_wakes      wakes whose job nobody has claimed yet
create or replace function codeteam.tend(sla_ms bigint default 600000, most integer default 100)
returns table (requeued integer, dead integer, lost integer, open_wakes integer)
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
#variable_conflict use_column
declare
  stuck  jobs;
  ran_ms bigint;
  became text;
begin
  perform check_most(most), check_sla(sla_ms);
  requeued := 0;
  dead := 0;
  lost := sweep_expired(most);
  for stuck in
    select j.* from jobs j where j.state = 'running' and stuck_at(j, sla_ms) <= clock_timestamp()
    order by j.group_key limit most for no key update skip locked -- as in sweep_expired
  loop
    ran_ms := extract(epoch from clock_timestamp() - stuck.started_at) * 1000;
    perform append_event(stuck.id, stuck.attempt, 'stuck', jsonb_build_object('worker', stuck.worker_id, 'ran_ms', ran_ms));
    insert into measurements (mode, what, value) values (stuck.mode, 'job_stuck', 1);
    update jobs j set failures = j.failures + 1 where j.id = stuck.id;
    became := end_attempt(stuck.id, true, 0, 'time_limit', format('it was stuck: its attempt did not end within %s s', ran_ms / 1000));
    perform pg_notify('codeteam_worker_' || stuck.worker_id, ''); -- its next heartbeat says that it lost the job
    insert into fleet_events (kind, mode, subject, message)
    values ('job_stuck', stuck.mode, stuck.id, format('job %s ran for %s s and is %s', stuck.id, ran_ms / 1000, became));
    if became = 'queued' then
      requeued := requeued + 1;
    else
      dead := dead + 1;
    end if;
  end loop;
  open_wakes := follow_wakes();
  return next;
end
$$;

-- Writes down how far the open wakes have come; gives how many are still open. One that nobody claimed within an hour is left. Internal.
create or replace function codeteam.follow_wakes() returns integer
language plpgsql volatile as $$
declare
  open integer;
begin
  with come as (
    update scale_decisions d
    set first_heartbeat_at = coalesce(d.first_heartbeat_at, (
          select min(w.started_at) from workers w where w.mode || '-worker' = d.service and w.started_at >= d.at)),
        claimed_at = (
          select min(e.at) from events e where e.job_id = d.job_id and e.kind = 'claimed' and e.at >= d.queued_at)
    where d.queued_at is not null and d.claimed_at is null and d.at > clock_timestamp() - interval '1 hour'
    returning d.service, d.job_id, d.queued_at, d.claimed_at
  ), told as (
    insert into measurements (mode, what, value)
    select split_part(c.service, '-', 1), 'wake', greatest(extract(epoch from c.claimed_at - c.queued_at) * 1000, 0)::bigint
    from come c where c.claimed_at is not null
  )
  select count(*) into open from come c where c.claimed_at is null and exists (select from jobs j where j.id = c.job_id and j.state = 'queued');
  return open;
end
$$;
