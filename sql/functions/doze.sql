-- Registers (or refreshes) a sleeper and looks once: the one statement that an idle process makes, every 30 s or slower. It is
-- its liveness check, its heartbeat and its safety look at once.
--   newly_armed  the registration was not there before. It is visible to others only after this call: the caller must then
--                look until the snapshot's xmin has passed the xmax of its first look, before it waits.
create or replace function codeteam.doze(topic text, sleeper uuid, job uuid default null, after_seq bigint default 0)
returns table (newly_armed boolean, ready boolean, next_due_ms bigint)
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
#variable_conflict use_column
declare
  armed boolean;
begin
  perform set_config('synchronous_commit', 'off', true);
  update sleepers s set refreshed_at = clock_timestamp() where s.topic = doze.topic and s.sleeper = doze.sleeper
    and s.refreshed_at > clock_timestamp() - interval '3 minutes';
  armed := not found;
  if armed then
    delete from sleepers s where s.refreshed_at < clock_timestamp() - interval '5 minutes';
    insert into sleepers as s (topic, sleeper) values (doze.topic, doze.sleeper)
    on conflict on constraint sleepers_pkey do update set refreshed_at = clock_timestamp();
  end if;
  update workers w set heartbeat_at = clock_timestamp(), stopped_at = null where w.id = doze.sleeper;
  return query select armed, l.ready, l.next_due_ms from look(doze.topic, doze.job, doze.after_seq) l;
end
$$;
