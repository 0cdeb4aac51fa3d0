-- Raises unless `given` is an object with none but known keys. Internal.
-- QJ007: `what` says what it should be.
create or replace function codeteam.check_keys(given jsonb, known text[], what text) returns void
language plpgsql immutable as $$
declare
  strange text;
begin
  if jsonb_typeof(given) is distinct from 'object' then
    raise exception '% is an object of %', what, array_to_string(known, ', ') using errcode = 'QJ007';
  end if;
  select k into strange from jsonb_object_keys(given) k where not k = any (known) limit 1;
  if found then
    raise exception '% has no %: use %', what, strange, array_to_string(known, ', ') using errcode = 'QJ007';
  end if;
end
$$;
