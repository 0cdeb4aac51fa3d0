-- Retries a selection of dead letters (see dead_letters.sql) as retry_job() does one, the oldest first, at most `most` (up to 500) in
-- one call, and rings once. A dry run changes nothing.
--   changed    so many were retried
--   remaining  so many of the selection are left, counted up to 10,000; in a dry run to their end
--   held_back  so many more are left alone, because a job that is open has their dedupe_key
--   as_of      when this was: a caller that goes on with finished_before at the first answer's time does not retry what has failed
--              again meanwhile
-- QJ007: the selection or the changes cannot be read or made.
create or replace function codeteam.retry_jobs(
  selection jsonb, changes jsonb default '{}', most integer default 500, dry_run boolean default false
) returns table (changed bigint, remaining bigint, held_back bigint, as_of timestamptz)
language plpgsql volatile security definer set search_path = codeteam, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  held  jobs;
  modes text[] := '{}';
  said  text;
begin
  perform check_selection(retry_jobs.selection), check_most(retry_jobs.most);
  perform demand(dry_run is not null, 'dry_run', null, 'give true or false');
  perform check_changes(retry_jobs.changes);
  as_of := clock_timestamp();
  changed := 0;
  if not dry_run then
    begin
      for held in
        select j.* from unnest(lock_dead(retry_jobs.selection, most, true)) with ordinality as c (id, n) join jobs j on j.id = c.id
        order by c.n
      loop
        continue when open_twin(held) is not null; -- one that was retried just now
        perform revive(held.id, retry_jobs.changes);
        changed := changed + 1;
        modes := modes || held.mode;
      end loop;
    exception when unique_violation or data_exception then
      get stacked diagnostics said = message_text;
      perform revival_refused(sqlstate, said);
    end;
  end if;
  if changed > 0 then
    perform ring(modes || 'scaler'::text);
  end if;
  select count(*) filter (where d.free), count(*) filter (where not d.free) into remaining, held_back
  from (select l.dedupe_key is null or open_twin(l) is null as free from dead_letters(retry_jobs.selection) l
        limit case when dry_run then null else 10000 end) d;
  return next;
end
$$;
