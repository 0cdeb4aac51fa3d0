select codeteam.retire_worker($1)
