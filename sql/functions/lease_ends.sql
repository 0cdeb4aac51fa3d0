-- When this database came up: after the crash of one of its processes the postmaster is still the old one, but the statistics are new. What
-- was written last, and not to the disk, may be gone since. Internal.
create or replace function codeteam.came_up() returns timestamptz
language sql stable as $$
  select greatest(pg_catalog.pg_postmaster_start_time(), pg_catalog.pg_stat_get_bgwriter_stat_reset_time())
$$;

-- When a worker's lease ends: not before one lease time after this database came up, because nobody could renew while it was down. Internal.
create or replace function codeteam.lease_ends(w codeteam.workers) returns timestamptz
language sql stable as $$
  select greatest(w.lease_expires_at, codeteam.came_up() + pg_catalog.make_interval(secs => w.lease_ms / 1000.0))
$$;

-- When a worker was last heard of; while this database was down nobody could be. Internal.
create or replace function codeteam.heard_at(w codeteam.workers) returns timestamptz
language sql stable as $$
  select greatest(w.heartbeat_at, codeteam.came_up())
$$;

-- A worker is heard of: its lease starts anew. With in_time, only a lease that has not ended yet: what somebody else may take over
-- at any moment is not taken back. False: nothing was renewed. Internal.
create or replace function codeteam.renew_lease(worker uuid, in_time boolean) returns boolean
language plpgsql volatile as $$
begin
  update workers w
  set heartbeat_at = clock_timestamp(), stopped_at = null,
      lease_expires_at = clock_timestamp() + make_interval(secs => w.lease_ms / 1000.0)
  where w.id = worker and (not in_time or lease_ends(w) > clock_timestamp());
  return found;
end
$$;

-- When a job that runs is stuck: after the SLA, or a minute after its own time limit if that is later. Internal.
create or replace function codeteam.stuck_at(j codeteam.jobs, sla_ms bigint) returns timestamptz
language sql stable as $$
  select j.started_at + pg_catalog.make_interval(secs => greatest(sla_ms, j.time_limit_ms + 60000) / 1000.0)
$$;

-- A worker that is silent for so long is lost. One that sleeps is heard of each 36 s at the latest: see doze(). Internal.
create or replace function codeteam.lost_after() returns interval language sql immutable as $$ select interval '2 minutes' $$;
