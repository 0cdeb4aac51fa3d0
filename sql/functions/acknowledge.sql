-- Marks these jobs as seen and gives their number. Internal: the caller holds the rows and knows that they are failed or dead.
-- QJ007: nobody is named.
create or replace function codeteam.mark_acknowledged(ids uuid[], by_whom text) returns bigint
language plpgsql volatile as $$
declare
  marked bigint;
begin
  if coalesce(by_whom !~ '\S' or octet_length(by_whom) > 200, true) then
    raise exception 'nobody is named: say who acknowledges it, in 1 to 200 bytes' using errcode = 'QJ007';
  end if;
  update jobs j set acknowledged_at = clock_timestamp(), acknowledged_by = by_whom
  where j.id = any (ids) and j.acknowledged_at is null;
  get diagnostics marked = row_count;
  return marked;
end
$$;

-- A person has seen this dead letter: it leaves the list and stays in the history. False: somebody had said so before, and nothing
-- is changed.
-- QJ003 unknown_job; QJ002 wrong_state: it is no failed or dead job.
create or replace function codeteam.acknowledge_job(job uuid, by_whom text) returns boolean
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  held jobs := lock_job(job);
begin
  if held.state not in ('failed', 'dead') then
    raise exception 'job % is %: only a failed or dead job is to be acknowledged', job, held.state using errcode = 'QJ002';
  end if;
  return mark_acknowledged(array[job], by_whom) > 0;
end
$$;

-- The same for a selection of dead letters (see dead_letters.sql), the oldest first, at most `most` (up to 500) in one call. A dry
-- run changes nothing.
--   changed    so many were acknowledged
--   remaining  so many of the selection are left, counted up to 10,000; in a dry run to their end
--   as_of      when this was: a caller that goes on with finished_before at the first answer's time comes to an end
-- QJ007: the selection cannot be read, or nobody is named.
create or replace function codeteam.acknowledge_jobs(
  selection jsonb, by_whom text, most integer default 500, dry_run boolean default false
) returns table (changed bigint, remaining bigint, as_of timestamptz)
language plpgsql volatile security definer set search_path = codeteam, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  chosen uuid[] := '{}';
begin
  perform check_selection(acknowledge_jobs.selection), check_most(acknowledge_jobs.most);
  perform demand(dry_run is not null, 'dry_run', null, 'give true or false');
  as_of := clock_timestamp();
  if not dry_run then
    chosen := lock_dead(acknowledge_jobs.selection, most, false);
  end if;
  changed := mark_acknowledged(chosen, by_whom);
  select count(*) into remaining
  from (select from dead_letters(acknowledge_jobs.selection) limit case when dry_run then null else 10000 end) d;
  return next;
end
$$;
