-- Once per INSERT statement, whatever its number of rows. Nearly always nobody sleeps, or the table would not be filling: that
-- case is decided first, at the cost of one look at an empty table. ring.sql says why looking is enough.
create or replace function codeteam.jobs_doorbell() returns trigger
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  modes text[];
begin
  if current_setting('transaction_isolation') <> 'read committed' or exists (select from sleepers) then
    select array_agg(distinct mode) into modes from inserted;
    if modes is not null then
      perform ring(modes || 'scaler'::text);
    end if;
  end if;
  return null;
end
$$;

create or replace trigger doorbell after insert on codeteam.jobs
referencing new table as inserted for each statement execute function codeteam.jobs_doorbell();
