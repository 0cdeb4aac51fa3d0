select id, state, mode, task, repo, attempt, exit_reason, error, fingerprint, finished_at from codeteam.list_dead($1, $2)
