select seq, attempt, at, kind, data from codeteam.read_events($1, $2, $3)
