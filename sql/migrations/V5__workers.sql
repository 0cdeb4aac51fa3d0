-- The worker processes, one row per run of one. heartbeat_at is written often and therefore not indexed.

create table codeteam.workers (
  id           uuid        primary key,
  mode         text        not null check (mode in ('mechanic', 'genius')),
  host         text        not null,
  pid          integer     not null,
  version      text        not null,
  sandbox      text        not null, -- the level that its sandbox proved at start
  started_at   timestamptz not null default now(),
  heartbeat_at timestamptz not null default now(),
  stopped_at   timestamptz -- null while it runs, and when it was killed
) with (fillfactor = 50);
