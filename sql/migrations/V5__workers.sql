-- The worker processes, one row per run of one. Leases are theirs: a worker that is heard of keeps all the jobs that it holds.
-- So a heartbeat writes one row, however many jobs there are, and a sweep looks at few rows, however many jobs went by.
-- What heartbeats write is not indexed, so that they stay in their page.

create table codeteam.workers (
  id               uuid        primary key,
  mode             text        not null check (mode in ('mechanic', 'genius')),
  host             text        not null,
  pid              integer     not null,
  version          text        not null,
  sandbox          text        not null, -- the level that its sandbox proved at start
  lease_ms         integer     not null check (lease_ms between 1 and 3600000),
  lease_expires_at timestamptz not null,
  started_at       timestamptz not null default now(),
  heartbeat_at     timestamptz not null default now(),
  stopped_at       timestamptz -- null while it runs; when it was killed, too, until somebody notices
) with (fillfactor = 50, autovacuum_vacuum_threshold = 20);
