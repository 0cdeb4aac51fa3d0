select ready, next_due_ms, snapshot_xmin from codeteam.look($1, $2, $3)
