-- Budgets as people set and read them. A repo of null means all repositories together; in the table that is ''.

-- An amount as people read it.
create or replace function codeteam.dollars(micros bigint) returns text
language sql immutable as $$
  select '$' || round(micros / 1000000.0, 6)
$$;

-- The key of a budget's repository in the tables. QJ007: there can be no such repository or no such period. Internal.
create or replace function codeteam.budget_key(repo text, period text) returns text
language plpgsql immutable as $$
begin
  if repo is not null and (repo !~ '\S' or octet_length(repo) > 2000) then
    raise exception 'no repository is named: give it as its jobs do, in 1 to 2000 bytes, or null for all together' using errcode = 'QJ007';
  elsif period is not null and period not in ('day', 'ever') then
    raise exception '% is no period of a budget: use day or ever', left(period, 100) using errcode = 'QJ007';
  end if;
  return coalesce(repo, '');
end
$$;

-- Sets or changes a budget: from now on no call is made whose worst case does not fit into it. `period` is 'day' (of UTC) or 'ever'. Jobs
-- that waited for room go on when there is some.
-- QJ007: a repository, period or amount that cannot be.
create or replace function codeteam.set_budget(repo text, period text, limit_micros bigint) returns void
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  key text := budget_key(repo, period);
begin
  if period is null then
    raise exception 'no period is named: use day or ever' using errcode = 'QJ007';
  elsif limit_micros is null or limit_micros not between 1 and 1000000000000000 then
    raise exception 'a budget is 1 to 1000000000000000 micro-dollars, not %', coalesce(limit_micros::text, 'null')
      using errcode = 'QJ007', hint = 'to stop all work, pause its modes';
  end if;
  perform hold_spending();
  insert into budgets as b (repo, period, limit_micros) values (key, set_budget.period, set_budget.limit_micros)
  on conflict on constraint budgets_pkey do update set limit_micros = excluded.limit_micros;
  perform weigh_stop(key, clock_timestamp());
end
$$;

-- Takes a budget away; with a period of null, both of them. Jobs that waited for it go on. False: there was none.
-- QJ007: a repository or period that cannot be.
create or replace function codeteam.clear_budget(repo text, period text default null) returns boolean
language plpgsql volatile security definer set search_path = codeteam, pg_temp as $$
declare
  key text := budget_key(repo, period);
begin
  perform hold_spending();
  delete from budgets b where b.repo = key and (clear_budget.period is null or b.period = clear_budget.period);
  if not found then
    return false;
  end if;
  perform weigh_stop(key, clock_timestamp());
  return true;
end
$$;

-- All budgets, that of all repositories together first.
--   spent_micros   settled calls at their cost, open ones at their worst case
--   stopped_since  since when jobs wait, because the budget has no room for the next call; null: they do not
--   opens_at       when they go on by themselves; null: when somebody raises or clears the budget
create or replace function codeteam.list_budgets()
returns table (repo text, period text, limit_micros bigint, spent_micros bigint, stopped_since timestamptz, opens_at timestamptz)
language sql volatile security definer set search_path = codeteam, pg_temp as $$
  select nullif(b.repo, ''), b.period, b.limit_micros, spent(b.repo, b.period, clock_timestamp()), s.since, s.opens_at
  from budgets b
  left join stops_in_force s on s.repo = b.repo and (s.opens_at is not null) = (b.period = 'day')
  order by b.repo, b.period
$$;
