-- The dead letters of a selection (see dead_letters.sql), the latest first, at most `most` of them.
create or replace function codeteam.list_dead(selection jsonb default '{}', most integer default 100)
returns table (id uuid, state text, mode text, task text, repo text, attempt integer, exit_reason text, error text, fingerprint text,
               finished_at timestamptz)
language plpgsql stable security definer set search_path = codeteam, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
  perform check_selection(list_dead.selection), check_most(list_dead.most);
  return query
  select d.id, d.state, d.mode, d.task, d.repo, d.attempt, d.exit_reason, d.error, d.fingerprint, d.finished_at
  from dead_letters(list_dead.selection) d order by d.finished_at desc, d.id desc limit list_dead.most;
end
$$;

-- The same, those that are alike in one row: how many, when the latest one ended, and that one as the example. Most frequent first.
create or replace function codeteam.group_dead(selection jsonb default '{}', most integer default 100)
returns table (fingerprint text, jobs bigint, repos bigint, latest timestamptz, example uuid, exit_reason text, error text)
language plpgsql stable security definer set search_path = codeteam, pg_temp set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
begin
  perform check_selection(group_dead.selection), check_most(group_dead.most);
  return query
  select g.fingerprint, g.jobs, g.repos, e.finished_at, e.id, e.exit_reason, e.error
  from (select d.fingerprint, count(*) as jobs, count(distinct d.repo) as repos
        from dead_letters(group_dead.selection) d group by d.fingerprint
        order by 2 desc, 1 limit group_dead.most) g
  cross join lateral (
    select d.id, d.exit_reason, d.error, d.finished_at from dead_letters(group_dead.selection) d
    where d.fingerprint = g.fingerprint order by d.finished_at desc, d.id desc limit 1) e
  order by g.jobs desc, g.fingerprint;
end
$$;
