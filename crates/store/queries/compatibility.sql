-- The one statement that is made on each new connection.
select codeteam.schema_version() as version, codeteam.works_since(), pg_backend_pid() as backend
