-- Who sleeps until the doorbell rings. An insert notifies only when somebody is listed here (see functions/ring.sql).
-- Topics: 'mechanic' and 'genius' for workers, 'scaler', 'events'. A row that is not refreshed counts for nothing after
-- three minutes: its process is gone.

create table codeteam.sleepers (
  topic        text        not null check (topic in ('mechanic', 'genius', 'scaler', 'events')),
  sleeper      uuid        not null,
  refreshed_at timestamptz not null default clock_timestamp(),
  primary key (topic, sleeper)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 20);
