-- Registers a sleeper and looks once: the one statement that an idle process makes, every 30 s or slower. It is its liveness check,
-- its heartbeat and its safety look at once. To be called on the connection that LISTENs.
--   newly_armed  the registration was not there before. It is visible to others only after this call: the caller must then
--                take a new transaction id and look until a snapshot's xmin has passed it, before it waits.
create or replace function codeteam.doze(topic text, sleeper uuid, job uuid default null, after_seq bigint default 0)
returns table (newly_armed boolean, ready boolean, next_due_ms bigint)
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
#variable_conflict use_column
declare
  armed boolean := not exists (
    select from sleepers s where s.topic = doze.topic and s.sleeper = doze.sleeper and s.backend = pg_backend_pid());
begin
  perform check_topic(topic, sleeper, job, after_seq);
  perform set_config('synchronous_commit', 'off', true);
  if armed then
    delete from sleepers s where not exists (select from pg_stat_activity a where a.pid = s.backend);
    insert into sleepers as s (topic, sleeper, backend) values (doze.topic, doze.sleeper, pg_backend_pid())
    on conflict on constraint sleepers_pkey do update set backend = pg_backend_pid();
  end if;
  update workers w set heartbeat_at = clock_timestamp(), stopped_at = null where w.id = doze.sleeper;
  if topic = 'scaler' then
    perform leader_dozes(sleeper);
  end if;
  return query select armed, l.ready, l.next_due_ms from look(doze.topic, doze.job, doze.after_seq) l;
end
$$;
