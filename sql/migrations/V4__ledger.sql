-- Every model call twice: what it could cost before it was made, and what it did cost. Append-only for every service.
-- A reservation without a settlement is a call whose end nobody recorded; it counts at its worst case.
-- There is no foreign key: the ledger stays when its jobs leave.

create table codeteam.ledger (
  id             bigint      generated always as identity primary key,
  at             timestamptz not null default clock_timestamp(),
  job_id         uuid        not null,
  attempt        integer     not null,
  call           integer     not null check (call >= 1), -- the step, counted over all attempts
  kind           text        not null check (kind in ('reservation', 'settlement')),
  -- settlements: as the provider reported; at worst case because its answer was lost; or not billed at all
  basis          text        not null check (basis in ('worst_case', 'reported', 'unbilled')),
  repo           text        not null,
  mode           text        not null,
  model          text        not null, -- reservation: the one asked; settlement: the one that answered
  cost_micros    bigint      not null check (cost_micros between 0 and 1000000000000), -- a million dollars: sums stay sums
  -- reservations: the tokens at full rate that the call could use at most; settlements have their counts below
  worst_tokens   bigint      not null default 0 check (worst_tokens between 0 and 1000000000000),
  uncached       bigint      not null default 0 check (uncached between 0 and 1000000000000),
  cache_read     bigint      not null default 0 check (cache_read between 0 and 1000000000000),
  cache_write_5m bigint      not null default 0 check (cache_write_5m between 0 and 1000000000000),
  cache_write_1h bigint      not null default 0 check (cache_write_1h between 0 and 1000000000000),
  output         bigint      not null default 0 check (output between 0 and 1000000000000),
  reasoning      bigint      not null default 0 check (reasoning between 0 and output),
  request_id     text,
  raw_usage      jsonb,

  unique (job_id, attempt, call, kind)
);

-- One row per call with what it counts for now.
create view codeteam.calls as
select r.job_id, r.attempt, r.call, r.at as asked_at, r.repo, r.mode,
       coalesce(s.model, r.model) as model,
       coalesce(s.cost_micros, r.cost_micros) as cost_micros,
       s.id is not null as settled,
       coalesce(s.basis, r.basis) as basis, r.worst_tokens,
       coalesce(s.uncached, 0) as uncached, coalesce(s.cache_read, 0) as cache_read,
       coalesce(s.cache_write_5m, 0) as cache_write_5m, coalesce(s.cache_write_1h, 0) as cache_write_1h,
       coalesce(s.output, 0) as output, coalesce(s.reasoning, 0) as reasoning
from codeteam.ledger r
left join codeteam.ledger s
  on (s.job_id, s.attempt, s.call, s.kind) = (r.job_id, r.attempt, r.call, 'settlement')
where r.kind = 'reservation';
