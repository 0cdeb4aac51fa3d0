-- Who sleeps until the doorbell rings. An insert notifies only when somebody is listed here (see functions/ring.sql).
-- Topics: 'mechanic' and 'genius' for workers, 'scaler', 'events'. A row whose backend is gone belongs to a process that died; the
-- next one to fall asleep takes it away. No clock has a say in this: a machine that was suspended wakes up to its rows.

create table codeteam.sleepers (
  topic   text    not null check (topic in ('mechanic', 'genius', 'scaler', 'events')),
  sleeper uuid    not null,
  backend integer not null, -- the process that serves its connection
  primary key (topic, sleeper)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 20);
