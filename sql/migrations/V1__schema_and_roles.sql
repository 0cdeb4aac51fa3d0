-- The schema, and one role per service. A role may EXECUTE the functions that its service needs and nothing more;
-- what it may do stands in functions/grants.sql, where it can be read in one place.
-- Roles belong to the whole cluster, so that another database of it may have made them, at this very moment too.

create schema if not exists codeteam;

do $$
declare
  role_name text;
begin
  foreach role_name in array array['codeteam_api', 'codeteam_worker', 'codeteam_scaler'] loop
    begin
      execute format('create role %I login', role_name);
    exception when duplicate_object or unique_violation then
      null;
    end;
    execute format('grant usage on schema codeteam to %I', role_name);
    -- A program gives a statement up after ten seconds; the server must not go on with it. Said for this database alone, because
    -- another may say it for its own at this moment.
    execute format('alter role %I in database %I set statement_timeout = %L', role_name, current_database(), '15s');
  end loop;
end
$$;

-- Which text of sql/functions this database has; functions are put in place anew when it differs.
create table codeteam.functions_applied (
  only_row   boolean     primary key default true check (only_row),
  digest     text        not null,
  applied_at timestamptz not null default clock_timestamp()
);
