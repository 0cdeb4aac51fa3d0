-- Gives a job back whose next call, which could cost `worst_case_micros`, a budget has no room for: no attempt is burnt, nothing is thrown
-- away, and it goes on when the budget opens. Until then all jobs of its repository wait; for the budget of all repositories, all jobs.
-- If there is room after all, because others have settled meanwhile, it goes to the head of its line.
-- QJ001 stale_lease; QJ007: no amount.
create or replace function codeteam.wait_for_budget(job uuid, attempt integer, worker uuid, worst_case_micros bigint) returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  held   jobs := hold(job, attempt, worker);
  at     timestamptz;
  reason text;
begin
  perform demand(worst_case_micros between 0 and 1000000000000, 'worst_case_micros', worst_case_micros::text, 'give 0 to 1000000000000');
  perform hold_spending();
  at := clock_timestamp();
  delete from budget_stops s where s.opens_at <= at;
  insert into budget_stops as s (repo, opens_at, needs_micros)
  select b.repo, case when bool_or(b.period = 'ever') then null else next_budget_day(at) end, worst_case_micros
  from budgets b
  where b.repo in ('', held.repo) and spent(b.repo, b.period, at) + worst_case_micros > b.limit_micros
  group by b.repo
  on conflict on constraint budget_stops_pkey do nothing; -- the first call that was refused says how much room ends it
  select string_agg(spent_words(s.repo, s.opens_at), '; ' order by s.repo) into reason
  from stops_in_force s where s.repo in ('', held.repo);
  if reason is not null then
    perform lock_groups_of(held.repo, held.group_key);
  end if;
  perform give_back(held, coalesce(reason, 'its budget has room again'));
  if reason is not null then
    perform park_for_budget(held.repo) from stops_in_force s where s.repo = held.repo;
    perform ring(array['mechanic', 'genius', 'scaler']); -- who sleeps hears when it opens
  end if;
end
$$;

-- That a budget is spent, when it opens again and what to do, in words. It names no repository: its address may hold a password.
create or replace function codeteam.spent_words(budget text, opens_at timestamptz) returns text
language sql stable as $$
  select format('the %s budget of %s is spent: ', case when opens_at is null then 'total' else 'daily' end,
                case budget when '' then 'all repositories' else 'this repository' end)
      || coalesce('it opens again at ' || to_char(opens_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC, or when somebody raises it',
                  'it opens when somebody raises it')
      || ' with `codeteam budget set`'
$$;
