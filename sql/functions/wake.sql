-- Takes a sleeper off the list: it is awake, and nobody needs to ring for it.
create or replace function codeteam.wake(topic text, sleeper uuid) returns void
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select check_topic(topic, sleeper, gen_random_uuid(), 0);
  delete from sleepers s where s.topic = wake.topic and s.sleeper = wake.sleeper
$$;
