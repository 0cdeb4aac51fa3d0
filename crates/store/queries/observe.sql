select mode, ready, scheduled, running, busy, oldest_ready_ms, next_due_ms from codeteam.observe()
