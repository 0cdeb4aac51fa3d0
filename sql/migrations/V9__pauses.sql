-- Modes whose jobs nobody may claim for now: they wait, with this reason.

create table codeteam.pauses (
  mode   text        primary key check (mode in ('mechanic', 'genius')),
  since  timestamptz not null default now(),
  reason text        not null check (octet_length(reason) <= 1000)
);
