-- A transaction id later than all that have been given out.
select pg_current_xact_id()::text::bigint
