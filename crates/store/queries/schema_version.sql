select codeteam.schema_version()
