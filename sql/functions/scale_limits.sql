-- The bounds of each mode's fleet. The scaler says what it was started with; what a person sets counts before that.

-- What holds now. Whoever set limits was held to the scaler's own at that time; where it was started with a lower maximum since, that has the
-- last word. Null: no scaler has said anything yet. limits_set: which ones a person has set.
create or replace view codeteam.limits_in_force as
select l.mode, case when m.min > m.max then m.max else m.min end as min, m.max, case when m.floor > m.max then m.max else m.floor end as floor,
       coalesce(l.cool_down_ms, l.own_cool_down_ms) as cool_down_ms, coalesce(l.jobs_per_worker, l.own_jobs_per_worker) as jobs_per_worker,
       array_remove(array[case when l.min is not null then 'min' end, case when l.max is not null then 'max' end,
                          case when l.floor is not null then 'floor' end, case when l.cool_down_ms is not null then 'cool-down' end,
                          case when l.jobs_per_worker is not null then 'jobs per worker' end], null) as limits_set,
       l.paused_at, l.paused_reason
from codeteam.scale_limits l
cross join lateral (
  select coalesce(l.min, l.own_min) as min, coalesce(l.max, l.own_max) as max, coalesce(l.floor, l.own_floor) as floor) m;

-- Raises unless the limits can hold at once; null: not known. Internal.
create or replace function codeteam.check_limits(min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer) returns void
language plpgsql immutable as $$
begin
  perform demand(coalesce(min, 0) between 0 and 1000, 'min', min::text, 'give workers from 0 to 1000'),
          demand(coalesce(max, 0) between 0 and 1000, 'max', max::text, 'give workers from 0 to 1000'),
          demand(coalesce(floor, 0) between 0 and 1000, 'floor', floor::text, 'give workers from 0 to 1000'),
          demand(coalesce(cool_down_ms, 0) between 0 and 86400000, 'cool_down_ms', cool_down_ms::text, 'give milliseconds from 0 to 86400000'),
          demand(coalesce(jobs_per_worker, 1) between 1 and 1000, 'jobs_per_worker', jobs_per_worker::text, 'give jobs from 1 to 1000'),
          demand((min > max) is not true, 'min', min || ' with a max of ' || max, 'give a minimum that is not above the maximum'),
          demand((floor > max) is not true, 'floor', floor || ' with a max of ' || max, 'give a floor that is not above the maximum');
end
$$;

-- The scaler's own, said when it starts.
create or replace function codeteam.announce_limits(
  mode text, min integer, max integer, floor integer, cool_down_ms bigint, jobs_per_worker integer
) returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select check_mode(mode), check_limits(min, max, floor, cool_down_ms, jobs_per_worker),
         demand(num_nulls(min, max, floor, cool_down_ms, jobs_per_worker) = 0, 'limits', 'partly null', 'say all five');
  update scale_limits l
  set own_min = announce_limits.min, own_max = announce_limits.max, own_floor = announce_limits.floor,
      own_cool_down_ms = announce_limits.cool_down_ms, own_jobs_per_worker = announce_limits.jobs_per_worker
  where l.mode = announce_limits.mode
$$;

-- A person's; null leaves what is set. They must hold together with those that stay. Rings the scaler.
create or replace function codeteam.set_limits(
  mode text, min integer default null, max integer default null, floor integer default null, cool_down_ms bigint default null,
  jobs_per_worker integer default null
) returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  l scale_limits;
begin
  perform check_mode(mode), demand(num_nonnulls(min, max, floor, cool_down_ms, jobs_per_worker) > 0, 'limits', 'empty', 'say which to set');
  update scale_limits s
  set min = coalesce(set_limits.min, s.min), max = coalesce(set_limits.max, s.max), floor = coalesce(set_limits.floor, s.floor),
      cool_down_ms = coalesce(set_limits.cool_down_ms, s.cool_down_ms), jobs_per_worker = coalesce(set_limits.jobs_per_worker, s.jobs_per_worker)
  where s.mode = set_limits.mode
  returning * into l;
  perform check_limits(coalesce(l.min, l.own_min), coalesce(l.max, l.own_max), coalesce(l.floor, l.own_floor), l.cool_down_ms, l.jobs_per_worker);
  insert into fleet_events (kind, mode, message)
  values ('limits_changed', mode, 'limits were set: ' || concat_ws(', ',
    'min ' || min, 'max ' || max, 'floor ' || floor, 'cool-down ' || cool_down_ms || ' ms', jobs_per_worker || ' jobs per worker'));
  perform ring(array['scaler']);
end
$$;

-- Back to the scaler's own. False: none were set.
create or replace function codeteam.clear_limits(mode text) returns boolean
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  perform check_mode(mode);
  update scale_limits l
  set min = null, max = null, floor = null, cool_down_ms = null, jobs_per_worker = null
  where l.mode = clear_limits.mode and num_nonnulls(l.min, l.max, l.floor, l.cool_down_ms, l.jobs_per_worker) > 0;
  if not found then
    return false;
  end if;
  insert into fleet_events (kind, mode, message) values ('limits_changed', mode, 'limits are the scaler''s own again');
  perform ring(array['scaler']);
  return true;
end
$$;

-- Capacity stays as it is until scaling is resumed. Said again, it changes the reason.
create or replace function codeteam.pause_scaling(mode text, reason text default '') returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  perform check_mode(mode), demand(octet_length(reason) <= 1000, 'reason', reason, 'give at most 1000 bytes, or an empty text');
  update scale_limits l
  set paused_at = coalesce(l.paused_at, clock_timestamp()), paused_reason = reason where l.mode = pause_scaling.mode;
  insert into fleet_events (kind, mode, message) values ('scaling_paused', mode, 'scaling was paused' || coalesce(': ' || nullif(reason, ''), ''));
end
$$;

-- Capacity follows the work again; rings the scaler. False: it did.
create or replace function codeteam.resume_scaling(mode text) returns boolean
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  perform check_mode(mode);
  update scale_limits l set paused_at = null, paused_reason = '' where l.mode = resume_scaling.mode and l.paused_at is not null;
  if not found then
    return false;
  end if;
  insert into fleet_events (kind, mode, message) values ('scaling_resumed', mode, 'scaling was resumed');
  perform ring(array['scaler']);
  return true;
end
$$;
