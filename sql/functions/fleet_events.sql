-- What happens to the fleet beside decisions, as rows of fleet_events. Kinds: leader_changed, trouble, recovered, worker_lost, job_stuck,
-- limits_changed, scaling_paused, scaling_resumed, drifted. Most are written where they happen.

-- Somebody else changed a fleet's capacity, and the scaler changes it back.
create or replace function codeteam.capacity_drifted(scaler uuid, mode text, message text) returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select check_mode(mode), demand(num_nulls(scaler, message) = 0, 'a drift', 'without scaler or message', 'say both');
  insert into fleet_events (kind, mode, subject, message) values ('drifted', mode, scaler, left(message, 1000))
$$;
