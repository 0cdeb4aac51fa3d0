-- Why the fleet has the size that it has: one row for each change of mind.

create table codeteam.scale_decisions (
  id          bigint      generated always as identity primary key,
  at          timestamptz not null default clock_timestamp(),
  service     text        not null, -- 'mechanic-worker' or 'genius-worker'
  previous    integer     not null check (previous >= 0),
  target      integer     not null check (target >= 0),
  reason      text        not null, -- a sentence for a person
  observation jsonb       not null  -- what the decision was made from
);
create index scale_decisions_recent on codeteam.scale_decisions (at desc);
