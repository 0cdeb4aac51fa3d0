-- For which programs this schema is good. Programs and schema change at different moments: while a fleet is replaced, old and new
-- programs run side by side. A migration that older programs cannot live with raises works_since to its own version; one that only
-- adds leaves it. functions/schema_version.sql says who reads it.

create table codeteam.compatibility (
  only_row    boolean not null primary key default true check (only_row),
  works_since integer not null
);
insert into codeteam.compatibility (works_since) values (16);
