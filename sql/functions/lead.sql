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
  asked  timestamptz := clock_timestamp();
  before timestamptz := asked; -- until then somebody else may act
  free   boolean;
begin
  perform demand(scaler is not null, 'scaler', null, 'give an id of your own');
  if not may_lead(scaler, asked) then -- without a lock: a standby asks often
    return query select false, l.epoch, null::bigint, (extract(epoch from lead_for()) * 1000)::bigint from leader l;
    return;
  end if;
  select l.* into stands from leader l for no key update;
  if stands.scaler is distinct from lead.scaler then
    if not may_lead(scaler, asked) then -- somebody was quicker
      return query select false, stands.epoch, null::bigint, (extract(epoch from lead_for()) * 1000)::bigint;
      return;
    end if;
    free := stands.scaler is null or stands.heard_until > asked;
    -- No promise lasts longer than this, whatever the clock of this server or of the one before it says; and one that was made just
    -- before a crash may be gone, though who heard it still keeps to it. Who resigned keeps to none.
    if stands.scaler is not null then
      before := least(greatest(asked, stands.acts_until, came_up() + lead_for()), asked + lead_for());
    end if;
    stands.epoch := stands.epoch + 1;
    update leader l set since = clock_timestamp(), trouble = null, trouble_since = null;
    insert into fleet_events (kind, subject, message)
    values ('leader_changed', lead.scaler, case when stands.scaler is null then 'a scaler leads' when free then 'a standby leads: the scaler before it went'
                                                else 'a standby leads: the scaler before it hangs' end);
    perform ring(array['scaler']); -- one that was deposed in its sleep learns of it
  end if;
  perform pg_advisory_unlock_all(), pg_try_advisory_lock(class.id, stands.epoch::integer) from lead_class() as class (id);
  if stands.scaler = lead.scaler then
    -- A leader that wakes does not wait for the disk: see came_up().
    perform set_config('synchronous_commit', 'off', true);
  end if;
  update leader l
  set epoch = stands.epoch, scaler = lead.scaler,
      acts_until = before + lead_for(), heard_until = before + lead_for() * 1.5;
  return query select true, stands.epoch, (extract(epoch from before - asked) * 1000)::bigint,
                      (extract(epoch from before + lead_for() - asked) * 1000)::bigint;
end
$$;

-- Whether this scaler leads, or may take the lead: nobody has it, the leader's session has ended, or the leader hangs. No leader is heard of
-- further ahead than a sleeping one: what says so was written by another clock. Internal.
create or replace function codeteam.may_lead(scaler uuid, asked timestamptz) returns boolean
language plpgsql volatile as $$
declare
  stands leader;
begin
  select l.* into stands from leader l;
  return stands.scaler is null or stands.scaler = may_lead.scaler
      or stands.heard_until < asked or stands.heard_until > asked + interval '80 seconds'
      or pg_try_advisory_lock(lead_class(), stands.epoch::integer);
end
$$;

-- For so long a leader may act after it asked. Internal.
create or replace function codeteam.lead_for() returns interval language sql immutable as $$ select interval '10 seconds' $$;

-- Advisory locks are named by two numbers: this one, of no meaning, and the epoch. Internal.
create or replace function codeteam.lead_class() returns integer language sql immutable as $$ select 1668246356 $$;

-- A leader that goes to sleep is heard of by doze(), each 36 s at the latest. Internal.
create or replace function codeteam.leader_dozes(scaler uuid) returns void
language plpgsql volatile as $$
begin
  update leader l set heard_until = clock_timestamp() + interval '75 seconds'
  where l.scaler = leader_dozes.scaler and session_user not in ('codeteam_worker', 'codeteam_api'); -- who may doze, but not lead
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
