-- What happened to each job: its journal. Append-only for every service.
-- seq is per job and gapless: it is taken under the job's row lock, so that commits come in its order.

create table codeteam.events (
  job_id  uuid        not null references codeteam.jobs on delete cascade,
  seq     bigint      not null,
  attempt integer     not null, -- 0: no worker wrote it
  at      timestamptz not null default clock_timestamp(),
  kind    text        not null check (kind ~ '^[a-z_]{1,40}$'),
  data    jsonb       not null,
  primary key (job_id, seq)
);
