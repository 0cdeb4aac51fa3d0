-- Once per INSERT statement, whatever its number of rows.
create or replace function codeteam.jobs_doorbell() returns trigger
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  modes text[];
begin
  select array_agg(distinct mode) into modes from inserted;
  if modes is not null then
    perform ring(modes || 'scaler'::text);
  end if;
  return null;
end
$$;

create or replace trigger doorbell after insert on codeteam.jobs
referencing new table as inserted for each statement execute function codeteam.jobs_doorbell();
