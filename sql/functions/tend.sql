-- What the scaler does for jobs and workers while anybody is awake, in one call and only when observe() or an open wake gives reason to.

-- Takes back up to `most` jobs that are over their SLA, and those of silent workers; has jobs of full groups step out of line, as claims
-- do, where they hide others; brings open wakes up to date.
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
  perform step_out_of_the_way(m.mode) from unnest(array['mechanic', 'genius']) as m (mode);
  open_wakes := follow_wakes();
  return next;
end
$$;
