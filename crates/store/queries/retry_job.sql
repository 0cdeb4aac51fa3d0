select codeteam.retry_job($1)
