-- What a program asks when it connects, to see whether it may work with this schema. A program of version P may when
-- works_since() <= P <= schema_version(). Both functions stay as they are for ever: every older program calls them.

-- The number of the last migration.
create or replace function codeteam.schema_version() returns integer
language sql stable security definer set search_path = codeteam, pg_temp as $$
  select max(version)::integer from schema_history
$$;

-- The oldest program, by the last migration that it knows, that still works with this schema.
create or replace function codeteam.works_since() returns integer
language sql stable security definer set search_path = codeteam, pg_temp as $$
  select works_since from compatibility
$$;
