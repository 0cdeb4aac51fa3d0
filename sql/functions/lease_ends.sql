-- When a worker's lease ends: not before one lease time after this database came up, because nobody could renew while it was
-- down. Internal.
create or replace function codeteam.lease_ends(w codeteam.workers) returns timestamptz
language sql stable as $$
  select greatest(w.lease_expires_at, pg_catalog.pg_postmaster_start_time() + pg_catalog.make_interval(secs => w.lease_ms / 1000.0))
$$;

-- A worker is heard of: its lease starts anew. False: there is no such worker. Internal.
create or replace function codeteam.renew_lease(worker uuid) returns boolean
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  update workers w
  set heartbeat_at = clock_timestamp(), stopped_at = null,
      lease_expires_at = clock_timestamp() + make_interval(secs => w.lease_ms / 1000.0)
  where w.id = worker;
  return found;
end
$$;
