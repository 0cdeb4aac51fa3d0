select jobs, events, more, next_due_ms from codeteam.sweep_history(make_interval(days => $1), $2, $3)
