select newly_armed, ready, next_due_ms from codeteam.doze($1, $2, $3, $4)
