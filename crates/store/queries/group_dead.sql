select fingerprint, jobs, repos, latest, example, exit_reason, error from codeteam.group_dead($1, $2)
