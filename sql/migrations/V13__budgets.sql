-- Budgets: what the jobs of a repository, or all jobs together, may cost. In micro-dollars.

create table codeteam.budgets (
  repo         text   not null check (repo = '' or (repo ~ '\S' and octet_length(repo) <= 2000)), -- '': all repositories together
  period       text   not null check (period in ('day', 'ever')), -- a day is one of UTC
  limit_micros bigint not null check (limit_micros between 1 and 1000000000000000),
  primary key (repo, period)
);

-- What was spent, added up: settled calls at their cost, open reservations at their worst case, by the day of the reservation. Written
-- with each reservation and settlement, in a row of its own for every eighth connection, so that workers do not wait for one another.
create table codeteam.spending (
  repo        text     not null,
  shard       smallint not null check (shard between 0 and 7),
  day         date     not null, -- the latest one, of UTC
  day_micros  bigint   not null, -- of that day
  ever_micros bigint   not null,
  primary key (repo, shard)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 20);

-- The same from the ledger itself: what the sums over spending must be. Reads the whole ledger.
create view codeteam.spending_by_ledger as
select c.repo,
       coalesce(sum(c.cost_micros) filter (where (c.asked_at at time zone 'UTC')::date = (clock_timestamp() at time zone 'UTC')::date), 0)::bigint
         as day_micros,
       sum(c.cost_micros)::bigint as ever_micros
from codeteam.calls c
group by c.repo;

insert into codeteam.spending (repo, shard, day, day_micros, ever_micros)
select repo, 0, (clock_timestamp() at time zone 'UTC')::date, day_micros, ever_micros from codeteam.spending_by_ledger;

-- Spent budgets, while their jobs wait: nearly always none.
create table codeteam.budget_stops (
  repo         text        primary key, -- '': every job waits
  since        timestamptz not null default clock_timestamp(),
  opens_at     timestamptz, -- null: when somebody raises or clears a budget
  needs_micros bigint      not null -- what the call could cost that was refused: with so much room the stop ends at once
);

-- The jobs that wait for a stop's end, one repository at a time.
create index jobs_for_budget on codeteam.jobs (mode, repo, run_at) where waits_for = 'budget';
