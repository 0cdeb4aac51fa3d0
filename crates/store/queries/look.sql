select ready, next_due_ms, snapshot_xmin, snapshot_xmax from codeteam.look($1, $2, $3)
