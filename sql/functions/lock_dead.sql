-- Whether another job that is open has this one's dedupe_key, and which. Internal.
create or replace function codeteam.open_twin(job codeteam.jobs) returns uuid
language sql stable as $$
  select t.id from jobs t
  where t.dedupe_key = job.dedupe_key and t.state in ('queued', 'running') and t.id <> job.id
$$;

-- Locks the oldest dead letters of a selection, at most `most` (up to 500) and none that somebody else is at; with `twinless` none
-- whose dedupe_key an open job has. Gives their ids in that order. Internal.
create or replace function codeteam.lock_dead(selection jsonb, most integer, twinless boolean) returns uuid[]
language plpgsql volatile set plan_cache_mode = force_custom_plan as $$
begin
  return array(
    select j.id from jobs j
    where j.id in (
        select d.id from dead_letters(selection) d
        where not twinless or d.dedupe_key is null or open_twin(d) is null
        order by d.finished_at, d.id limit least(greatest(most, 1), 500))
      -- said again of the row as it is once it is locked
      and j.state in ('failed', 'dead') and j.acknowledged_at is null
    order by j.finished_at, j.id for no key update skip locked);
end
$$;
