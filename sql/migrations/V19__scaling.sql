-- Scaling on AWS: who decides, within which limits, how each wake went, what happened to the fleet, and what is still to be published.

-- A fleet that was woken from nothing, phase by phase; null where nothing was woken.
alter table codeteam.scale_decisions
  add column job_id             uuid,        -- the job at the head of the line
  add column queued_at          timestamptz, -- since when that job was ready
  add column called_at          timestamptz, -- when whoever starts workers had taken the target; of every decision
  add column first_heartbeat_at timestamptz, -- when the first worker that was started since then was heard of
  add column claimed_at         timestamptz; -- when that job was claimed
create index scale_decisions_open on codeteam.scale_decisions (at) where queued_at is not null and claimed_at is null;

-- The bounds of each mode's fleet: what the scaler was started with, and what a person has set since, which counts.
create table codeteam.scale_limits (
  mode                text        primary key,
  own_min             integer, -- the scaler's own; null: it has never run
  own_max             integer,
  own_floor           integer,
  own_cool_down_ms    bigint,
  own_jobs_per_worker integer,
  min                 integer, -- a person's; null: the scaler's own counts
  max                 integer,
  floor               integer,
  cool_down_ms        bigint,
  jobs_per_worker     integer,
  paused_at           timestamptz, -- null: capacity follows the work
  paused_reason       text        not null default ''
);
insert into codeteam.scale_limits (mode) values ('mechanic'), ('genius');

-- Which scaler leads: one row. sql/functions/lead.sql says how it is used.
create table codeteam.leader (
  only_row      boolean     primary key default true check (only_row),
  epoch         bigint      not null default 0, -- grows with each change of leader: the fencing token, and the name of an advisory lock
  scaler        uuid,                           -- null: nobody leads
  since         timestamptz not null default now(),
  acts_until    timestamptz not null default '-infinity', -- until then it may call AWS without asking here again
  heard_until   timestamptz not null default '-infinity', -- if it is not heard of until then, it hangs
  trouble       text,                           -- why it cannot do its work; null: it can
  trouble_since timestamptz
);
insert into codeteam.leader default values;

-- What happened to the fleet beside decisions, for people: one row each.
create table codeteam.fleet_events (
  id      bigint      generated always as identity primary key,
  at      timestamptz not null default clock_timestamp(),
  kind    text        not null, -- leader_changed, trouble, recovered, worker_lost, job_stuck, limits_changed, scaling_paused, scaling_resumed, drifted
  mode    text,                 -- null: it is about both
  subject uuid,                 -- a worker's, job's or scaler's id
  message text        not null  -- a sentence
);
create index fleet_events_recent on codeteam.fleet_events (at desc);

-- What is to be published as metrics and is not yet part of a batch. A row leaves in the transaction that makes its batch, so that it counts
-- once; no index, because it is only ever taken whole.
create table codeteam.measurements (
  at    timestamptz not null default clock_timestamp(),
  mode  text        not null,
  what  text        not null, -- succeeded, failed (ms from claim to end), call (tokens at full rate), wake (ms), job_stuck, worker_lost (1)
  value bigint      not null
) with (autovacuum_vacuum_threshold = 1000);

-- Batches that were made and are not known to have been published: normally none.
create table codeteam.metric_batches (
  id       bigint      generated always as identity primary key,
  at       timestamptz not null default clock_timestamp(),
  tried_at timestamptz not null default clock_timestamp(), -- when it was last given out to be published
  data     jsonb       not null
);

create index workers_here on codeteam.workers (mode) where stopped_at is null;
create index workers_started on codeteam.workers (mode, started_at);
