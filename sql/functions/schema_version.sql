-- The number of the last migration, for a program to see whether it knows this schema.
create or replace function codeteam.schema_version() returns integer
language sql stable security definer set search_path = codeteam, pg_temp as $$
  select max(version)::integer from schema_history
$$;
