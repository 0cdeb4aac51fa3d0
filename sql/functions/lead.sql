-- Which of several scalers leads. The leader may call AWS until acts_until, and keeps to that by its own clock, counted from before it
-- asked. Another one takes over when the leader hangs (not heard of until heard_until), or when its session has ended: each epoch has an
-- advisory lock of its own, which the leader's session holds. The successor waits out the time for which its predecessor may still act.

-- Renews or takes the lead, and says for how long the caller may act: from act_after_ms from now, until act_until_ms from now. Not
-- leading: when to ask again. To be called on a session of its own, not through a pooler.
create or replace function codeteam.lead(scaler uuid)
returns table (leads boolean, epoch bigint, act_after_ms bigint, act_until_ms bigint)
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
#variable_conflict use_column
declare
  stands leader;
  asked  timestamptz;
  before timestamptz; -- until then somebody else may act
  free   boolean;
begin
  perform demand(scaler is not null, 'scaler', null, 'give an id of your own');
  perform set_config('synchronous_commit', 'off', true);
  select l.* into stands from leader l for no key update;
  asked := clock_timestamp();
  before := asked;
  if stands.scaler is distinct from lead.scaler then
    free := stands.scaler is null or pg_try_advisory_lock(class.id, stands.epoch::integer) from lead_class() as class (id);
    if not (free or stands.heard_until < asked) then
      return query select false, stands.epoch, null::bigint, 10000::bigint;
      return;
    end if;
    before := greatest(before, stands.acts_until);
    stands.epoch := stands.epoch + 1;
    -- Its successor must not go back to before this, whatever crashes.
    perform set_config('synchronous_commit', 'on', true);
    update leader l set since = clock_timestamp(), trouble = null, trouble_since = null;
    insert into fleet_events (kind, subject, message)
    values ('leader_changed', lead.scaler, case when stands.scaler is null then 'a scaler leads' when free then 'a standby leads: the scaler before it went'
                                                else 'a standby leads: the scaler before it hangs' end);
    perform ring(array['scaler']); -- one that was deposed in its sleep learns of it
  end if;
  perform pg_advisory_unlock_all(), pg_try_advisory_lock(class.id, stands.epoch::integer) from lead_class() as class (id);
  update leader l
  set epoch = stands.epoch, scaler = lead.scaler,
      acts_until = before + interval '10 seconds', heard_until = before + interval '15 seconds';
  return query select true, stands.epoch, (extract(epoch from before - asked) * 1000)::bigint,
                      (extract(epoch from before - asked) * 1000)::bigint + 10000;
end
$$;

-- Advisory locks are named by two numbers: this one, of no meaning, and the epoch. Internal.
create or replace function codeteam.lead_class() returns integer language sql immutable as $$ select 1668246356 $$;

-- A leader that goes to sleep is heard of by doze(), each 36 s at the latest. Internal.
create or replace function codeteam.leader_dozes(scaler uuid) returns void
language plpgsql volatile as $$
begin
  update leader l set heard_until = clock_timestamp() + interval '75 seconds' where l.scaler = leader_dozes.scaler;
end
$$;

-- The leader goes: the next one need not wait until it is missed.
create or replace function codeteam.resign(scaler uuid) returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  perform demand(scaler is not null, 'scaler', null, 'name the scaler that goes');
  update leader l set scaler = null, acts_until = '-infinity', trouble = null, trouble_since = null where l.scaler = resign.scaler;
  perform pg_advisory_unlock_all();
end
$$;

-- The leader cannot do its work, and why; null: it can again.
create or replace function codeteam.report_trouble(scaler uuid, trouble text) returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
begin
  perform demand(scaler is not null, 'scaler', null, 'name the scaler that reports');
  update leader l
  set trouble = report_trouble.trouble, trouble_since = case when report_trouble.trouble is not null then coalesce(l.trouble_since, clock_timestamp()) end
  where l.scaler = report_trouble.scaler and l.trouble is distinct from report_trouble.trouble;
  if found then
    insert into fleet_events (kind, subject, message)
    values (case when trouble is null then 'recovered' else 'trouble' end, scaler, coalesce(left(trouble, 1000), 'the scaler can do its work again'));
  end if;
end
$$;

-- Somebody else changed a fleet's capacity, and the scaler changes it back.
create or replace function codeteam.capacity_drifted(scaler uuid, mode text, message text) returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select check_mode(mode), demand(num_nulls(scaler, message) = 0, 'a drift', 'without scaler or message', 'say both');
  insert into fleet_events (kind, mode, subject, message) values ('drifted', mode, scaler, left(message, 1000))
$$;
