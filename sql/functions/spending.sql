-- What was spent in a budget's period. Exact under concurrency by this order: whoever spends adds it up first, then looks for budgets,
-- and holds a budget's lock while it looks at the sum. Whoever changes a budget or writes a stop holds the whole table, for a
-- moment, so that everybody either has ended before or sees the change. All internal.

-- The day that a budget counts `at` to: from midnight to midnight of UTC.
create or replace function codeteam.budget_day(at timestamptz) returns date
language sql immutable as $$
  select (at at time zone 'UTC')::date
$$;

-- When the next day begins.
create or replace function codeteam.next_budget_day(at timestamptz) returns timestamptz
language sql immutable as $$
  select ((at at time zone 'UTC')::date + 1)::timestamp at time zone 'UTC'
$$;

-- Adds `micros`, which a settlement makes negative, to what was reserved `at` that time.
create or replace function codeteam.add_spending(repo text, at timestamptz, micros bigint) returns void
language plpgsql volatile as $$
declare
  mine  integer := pg_backend_pid() % 8;
  today date := budget_day(at);
begin
  update spending s
  set day = greatest(s.day, today), ever_micros = s.ever_micros + micros,
      day_micros = case when s.day = today then s.day_micros + micros when s.day < today then micros else s.day_micros end
  where s.repo = add_spending.repo and s.shard = mine;
  if not found then
    insert into spending as s (repo, shard, day, day_micros, ever_micros) values (add_spending.repo, mine, today, micros, micros)
    on conflict on constraint spending_pkey do update -- another one of this number was quicker: the same as above
    set day = greatest(s.day, today), ever_micros = s.ever_micros + micros,
        day_micros = case when s.day = today then s.day_micros + micros when s.day < today then micros else s.day_micros end;
  end if;
end
$$;

-- What a budget's period has seen by `at`; repo '': of all repositories together.
create or replace function codeteam.spent(repo text, period text, at timestamptz) returns bigint
language plpgsql volatile as $$
declare
  day   bigint;
  total bigint;
begin
  if repo = '' then
    select coalesce(sum(s.day_micros) filter (where s.day = budget_day(at)), 0), coalesce(sum(s.ever_micros), 0) into day, total
    from spending s;
  else
    select coalesce(sum(s.day_micros) filter (where s.day = budget_day(at)), 0), coalesce(sum(s.ever_micros), 0) into day, total
    from spending s where s.repo = spent.repo;
  end if;
  return case period when 'day' then day else total end;
end
$$;

-- Nobody reserves, settles, changes a budget or writes a stop from here to the transaction's end; those who were at it have ended.
create or replace function codeteam.hold_spending() returns void
language plpgsql volatile as $$
begin
  lock table spending in share row exclusive mode;
end
$$;

-- From here to the transaction's end nobody else looks at what is left of the budgets of this repository ('': of all together).
create or replace function codeteam.lock_budget(repo text) returns void
language sql volatile as $$
  select pg_advisory_xact_lock(hashtextextended('codeteam budget ' || repo, 0))
$$;

-- Raises unless the budgets have room for a call that is already added up, with what was added up for it.
--   QJ004 cost_cap: it costs more than a whole budget, so that waiting helps nobody
--   QJ010 budget_spent: there is too little left, or jobs wait already for room
create or replace function codeteam.check_budgets(repo text, at timestamptz, micros bigint) returns void
language plpgsql volatile as $$
declare
  b      budgets;
  excess bigint;
  stop   stops_in_force;
begin
  for b in select c.* from budgets c where c.repo in ('', check_budgets.repo) order by c.repo, c.period loop
    if micros > b.limit_micros then
      raise exception 'the next call could cost %, and the whole % budget of % is %: raise it with `codeteam budget set`, or retry the '
        'job with a cost cap or a smaller token cap', dollars(micros), case b.period when 'day' then 'daily' else 'total' end,
        case b.repo when '' then 'all repositories' else 'this repository' end, dollars(b.limit_micros) using errcode = 'QJ004';
    end if;
    perform lock_budget(b.repo);
    excess := spent(b.repo, b.period, check_budgets.at) - b.limit_micros;
    if excess > 0 then
      raise exception '%: % of % are left, the next call could cost %',
        spent_words(b.repo, case b.period when 'day' then next_budget_day(check_budgets.at) end),
        dollars(greatest(micros - excess, 0)), dollars(b.limit_micros), dollars(micros) using errcode = 'QJ010';
    end if;
  end loop;
  select s.* into stop from stops_in_force s where s.repo in ('', check_budgets.repo) order by s.repo limit 1;
  if found then
    raise exception '%', spent_words(stop.repo, stop.opens_at) using errcode = 'QJ010';
  end if;
end
$$;
