select codeteam.retry_job($1, $2)
