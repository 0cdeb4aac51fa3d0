-- Raises in place of an error that PostgreSQL had with what was given for a job: a value that its type does not hold (22), or
-- one that is missing (23).
create or replace function codeteam.refuse_job(field text, said text) returns void
language plpgsql stable as $$
begin
  if field <> '' then
    raise exception '% is missing: a job needs task, repo and prompt', field using errcode = 'QJ007';
  end if;
  raise exception 'a job cannot be read: %: give it in its type and range', said using errcode = 'QJ007';
end
$$;
