select codeteam.submit_jobs($1)
